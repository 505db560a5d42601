/*
 * list: what the three listings have in common: parameters, paging over vault's messages, owners' names.
 */
#ifndef CLOISTER_GATE_LIST_H
#define CLOISTER_GATE_LIST_H

#include "gate/errand.h"

struct names_page { const struct id *ids; const struct str *names; size_t n; };

struct listing {
	struct list_query q;
	uint64_t max;         /* as answered: at most LIMIT_LIST_KEYS */
	bool url;             /* encoding-type=url */
	bool with_owners;
	struct str prefix, delimiter, key_marker;
	enum s3_error bad;    /* told after warden has said who asks */
	const char *bad_field;
	struct buf items, prefixes; /* XML */
	struct buf last_key;
	struct list_entry last; /* its key is in last_key */
	size_t n;
	bool truncated;
	/* writes one entry that is no common prefix */
	void (*put)(struct listing *l, const struct list_entry *e, struct str owner_name);
};

void listing_init(struct request *r, struct listing *l, enum list_kind kind, const char *max_param, const char *marker_param);
void listing_release(struct listing *l);
void listing_refuse(struct listing *l, enum s3_error e, const char *field); /* the first one stays */
/* listing_start_at(l, key, is_prefix): exclusive */
void listing_start_at(struct listing *l, struct str key, bool is_prefix);
/* listing_is_common_prefix(l, key): a listing with this prefix and delimiter would give ${key} as a common prefix. */
bool listing_is_common_prefix(const struct listing *l, struct str key);
/* listing_run(r, l, g): fills items and prefixes. False: an error has been answered. */
bool listing_run(struct request *r, struct listing *l, const struct grant *g);
/* the end of every answer: items, prefixes, the closing tag; answered */
void listing_answer(struct request *r, struct listing *l, struct buf *b, const char *root);
void listing_put_delimiter(const struct listing *l, struct buf *b);
void put_etag_element(struct buf *b, const uint8_t etag[16], uint32_t n_parts);

#endif
