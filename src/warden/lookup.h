/*
 * lookup: the questions that the pure part of warden (policy, ACL) has about people, answered by
 * whoever holds them. Every function returns whether there is such a person; revoked people are
 * people.
 */
#ifndef CLOISTER_WARDEN_LOOKUP_H
#define CLOISTER_WARDEN_LOOKUP_H

#include "base/id.h"

struct people_lookup {
	void *ctx;
	bool (*by_id)(void *ctx, struct id id);
	bool (*by_name)(void *ctx, struct str name, struct id *ret);
	bool (*by_email)(void *ctx, struct str email, struct id *ret);
};

#endif
