/*
 * api_jobs: what follows after warden has said yes to a verb that starts something: the job is run, the cell is built, the ticket becomes an address.
 * Each takes warden's answer and may change it. False: an error has been answered. ${asked} are the parameters as warden got them.
 */
#ifndef CLOISTER_GATE_API_JOBS_H
#define CLOISTER_GATE_API_JOBS_H

#include "gate/api_private.h"

bool then_run(struct request *r, const json_t *asked, json_t *said); /* "job", if there is one */
bool then_open_cell(struct request *r, const json_t *asked, json_t *said);
bool then_close_cell(struct request *r, const json_t *asked, json_t *said);
bool then_show_cell(struct request *r, const json_t *asked, json_t *said);
bool then_enter_cell(struct request *r, const json_t *asked, json_t *said);
bool then_work(struct request *r, const json_t *asked, json_t *said);
bool then_count_records(struct request *r, const json_t *asked, json_t *said);

/*
 * api_verb(r, verb, params, &said): warden's answer to ${verb}, as who asks; takes ${params}. False: an error has been answered. ${said} is the caller's.
 */
bool api_verb(struct request *r, const char *verb, json_t *params, json_t **said);
/* api_job_id(said, &id): its "job". False: none. */
bool api_job_id(const json_t *said, struct id *ret);
struct err api_run(struct request *r, struct id job);

#endif
