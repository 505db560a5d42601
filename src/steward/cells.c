#include "steward/cells.h"

#include "base/clock.h"
#include "base/log.h"
#include "cell/client.h"
#include "warden/client.h"

#define LOOK_EVERY_US (2 * US_PER_S)
#define MORE_US (50 * 1000) /* warden closes a few a call: if there were new ones, there may be more */
#define CELLS_TOLD_MAX 256

/* cells_listed(json, ids): those of {"cells":["…"]}, which warden writes compactly; the rest another time. */
static size_t
cells_listed(struct str json, struct id ids[CELLS_TOLD_MAX])
{
	struct str mark = STR("\"cells\":[");
	size_t at = str_find(json, mark), n = 0;

	if (at == SIZE_MAX)
		return 0;
	for (at += mark.n; n < CELLS_TOLD_MAX && at < json.n && json.p[at] == '"'; at += ID_HEX_LEN + 3, n++)
		if (err_is(id_parse(str_sub(json, at + 1, ID_HEX_LEN), &ids[n])))
			break;
	return n;
}

int64_t
cells_look(struct cells_round *r)
{
	struct proof proof = {.kind = PROOF_PROCESS, .address = STR("local")};
	AUTO_BUF out = BUF(16 * KiB);
	struct id ids[CELLS_TOLD_MAX];
	enum verdict_reason reason;
	struct err e = OK;
	size_t n, told = r->told;

	if (!r->any)
		return LOOK_EVERY_US;
	e = warden_admin(r->warden, &proof, STR("cell.expired"), STR("{}"), &out, &reason);
	if (err_is(e)) {
		LOG(LOG_WARN, "cells-not-asked", LOG_ERR(e));
		return LOOK_EVERY_US;
	}
	n = cells_listed(buf_str(&out), ids);
	for (size_t i = 0; i < n; i++) {
		e = cell_close(r->cell, ids[i]); /* one that is not open is closed already */
		if (err_is(e))
			LOG(LOG_WARN, "cell-not-closed", LOG_ID("cell", ids[i]), LOG_ERR(e));
		if (e.code == ERR_CLOSED || e.code == ERR_TIMEOUT)
			return LOOK_EVERY_US; /* it is away: it hears of all of them again */
	}
	r->told = n;
	return n > told ? MORE_US : LOOK_EVERY_US;
}
