/*
 * api: JSON under /api, for the command line and the console; described by /api/openapi.json, which it serves.
 * Most calls are passed to warden as they are (verb and JSON parameters); audit questions go to the ledger.
 */
#ifndef CLOISTER_GATE_API_H
#define CLOISTER_GATE_API_H

#include "gate/request.h"

bool api_owns(const struct request *r); /* is the path under /api? */
bool api_find(struct request *r);       /* sets r->op; false: an error has been answered */

#endif
