/*
 * route: which operation a request asks for. One table: level, method, what the query must hold.
 */
#ifndef CLOISTER_GATE_ROUTE_H
#define CLOISTER_GATE_ROUTE_H

#include "gate/request.h"

/* route_parse(r): path and query decoded into bucket, key, query. False: an error has been answered. */
bool route_parse(struct request *r);
/* route_find(r): sets r->op. False: an error has been answered. */
bool route_find(struct request *r);

#endif
