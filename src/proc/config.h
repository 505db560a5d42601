/*
 * config: cloister.yaml, typed. Read by cloisterd and the command line only; every other process
 * gets what it needs as descriptors and arguments. An absent file is the default; an unknown key is
 * an error that names its line.
 */
#ifndef CLOISTER_PROC_CONFIG_H
#define CLOISTER_PROC_CONFIG_H

#include "base/buf.h"

#define CONFIG_FILE "cloister.yaml"
#define CONFIG_BYTES_MAX (64 * KiB)
#define CONFIG_LISTEN_MAX 8
#define CONFIG_MQTT_MAX 4

struct config_session {
	uint32_t idle_minutes; /* automatic log-off, 45 CFR 164.312(a)(2)(iii); default 30 */
	uint32_t hours;        /* log in again after; default 12 */
};

/* Rooms with data and tools in them. Absent: none can be opened. */
struct config_cells {
	char *tools;  /* folder that is mounted read-only in every cell: a Python with JupyterLab; default none: no cells */
	char *listen; /* where browsers reach notebooks: an origin of its own, as one of "listen" above; default none */
	uint32_t memory_mib, processes, disk_mib; /* of one cell; default 4096, 512, 10240 */
	uint32_t cpus; /* default 2 */
	uint32_t minutes; /* a cell closes itself after; default 480 */
};

/* A broker outside, from which is fetched. */
struct config_mqtt {
	char *broker; /* "address:port", numeric */
	char *topic;  /* a subscription: "ward/#" */
	char *feed;   /* whose data that is */
	bool tls;
};

/* Where feeds deliver. Absent: nowhere. */
struct config_intake {
	char **mllp; /* as "listen" below; TLS only */
	uint64_t n_mllp;
	struct config_mqtt *mqtt;
	uint64_t n_mqtt;
};

struct config {
	char **listen; /* "address:port", "[address]:port"; numeric; port 0: any. Default
	                  127.0.0.1:8443 */
	uint64_t n_listen;
	char *hostname; /* buckets are also <bucket>.<hostname>; default none: path style only */
	char *region;       /* default us-east-1 */
	char *witness; /* a folder on another machine's disk that gets the newest signed tree head;
	                  default none */
	bool *public_access; /* NULL: yes. May a bucket of the key domain "general" be made public by its owner? default yes */
	struct config_session session;
	struct config_cells cells;
	struct config_intake intake;
};

/*
 * config_load(dir, problem, &c): ${dir}/cloister.yaml. INVALID: ${problem} says, for people, which
 * line and why. Free with config_free.
 */
struct err config_load(int dir, struct buf *problem, struct config **ret);
void config_free(struct config *c);
static inline bool
config_public_access(const struct config *c)
{
	return !c->public_access || *c->public_access;
}

#endif
