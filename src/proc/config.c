#include "proc/config.h"

#include <cyaml/cyaml.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/num.h"

static const cyaml_schema_value_t text = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 255)};

static const cyaml_schema_field_t session_fields[] = {
	CYAML_FIELD_UINT("idle_minutes", CYAML_FLAG_OPTIONAL, struct config_session, idle_minutes),
	CYAML_FIELD_UINT("hours", CYAML_FLAG_OPTIONAL, struct config_session, hours),
	CYAML_FIELD_END,
};

#define OPTIONAL_TEXT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
static const cyaml_schema_field_t cells_fields[] = {
	CYAML_FIELD_STRING_PTR("tools", OPTIONAL_TEXT, struct config_cells, tools, 1, 4095),
	CYAML_FIELD_STRING_PTR("listen", OPTIONAL_TEXT, struct config_cells, listen, 1, 255),
	CYAML_FIELD_UINT("memory_mib", CYAML_FLAG_OPTIONAL, struct config_cells, memory_mib),
	CYAML_FIELD_UINT("cpus", CYAML_FLAG_OPTIONAL, struct config_cells, cpus),
	CYAML_FIELD_UINT("processes", CYAML_FLAG_OPTIONAL, struct config_cells, processes),
	CYAML_FIELD_UINT("disk_mib", CYAML_FLAG_OPTIONAL, struct config_cells, disk_mib),
	CYAML_FIELD_UINT("minutes", CYAML_FLAG_OPTIONAL, struct config_cells, minutes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t mqtt_fields[] = {
	CYAML_FIELD_STRING_PTR("broker", CYAML_FLAG_POINTER, struct config_mqtt, broker, 3, 63),
	CYAML_FIELD_STRING_PTR("topic", CYAML_FLAG_POINTER, struct config_mqtt, topic, 1, 150),
	CYAML_FIELD_STRING_PTR("feed", CYAML_FLAG_POINTER, struct config_mqtt, feed, 1, 64),
	CYAML_FIELD_BOOL("tls", CYAML_FLAG_OPTIONAL, struct config_mqtt, tls),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t mqtt = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_mqtt, mqtt_fields)};

static const cyaml_schema_field_t intake_fields[] = {
	CYAML_FIELD_SEQUENCE_COUNT("mllp", OPTIONAL_TEXT, struct config_intake, mllp, n_mllp, &text, 0, CONFIG_LISTEN_MAX),
	CYAML_FIELD_SEQUENCE_COUNT("mqtt", OPTIONAL_TEXT, struct config_intake, mqtt, n_mqtt, &mqtt, 0, CONFIG_MQTT_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_SEQUENCE_COUNT(
	"listen", OPTIONAL_TEXT, struct config, listen, n_listen, &text, 1, CONFIG_LISTEN_MAX),
    CYAML_FIELD_STRING_PTR("hostname", OPTIONAL_TEXT, struct config, hostname, 1, 253),
    CYAML_FIELD_STRING_PTR("region", OPTIONAL_TEXT, struct config, region, 1, 32),
    CYAML_FIELD_STRING_PTR("witness", OPTIONAL_TEXT, struct config, witness, 1, 4095),
    CYAML_FIELD_BOOL_PTR("public_access", OPTIONAL_TEXT, struct config, public_access),
    CYAML_FIELD_MAPPING("session", CYAML_FLAG_OPTIONAL, struct config, session, session_fields),
    CYAML_FIELD_MAPPING("cells", CYAML_FLAG_OPTIONAL, struct config, cells, cells_fields),
    CYAML_FIELD_MAPPING("intake", CYAML_FLAG_OPTIONAL, struct config, intake, intake_fields),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, fields)};

/*
 * what the library says about the place; the keys and values it quotes are the configuration's own
 */
__attribute__((format(printf, 3, 0))) static void
note(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct buf *problem = ctx;
	char line[300];
	int n;

	if (level < CYAML_LOG_ERROR)
		return;
	n = vsnprintf(line, sizeof(line), fmt, args);
	if (n > 0)
		buf_put(problem, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static cyaml_config_t
library(struct buf *problem)
{
	return (cyaml_config_t){
		.log_fn = note,
		.log_ctx = problem,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

void
config_free(struct config *c)
{
	AUTO_BUF unused = BUF(1 * KiB);
	cyaml_config_t lib = library(&unused);

	if (c)
		cyaml_free(&lib, &schema, c, 0);
}

static bool
set_text(char **at, const char *value)
{
	if (!*at)
		*at = strdup(value);
	return *at != NULL;
}

static struct err
in_range(uint32_t *v, uint32_t standard, uint32_t most, const char *key, struct buf *problem)
{
	if (*v == 0)
		*v = standard;
	if (*v <= most)
		return OK;
	buf_printf(problem, "%s must be 1 to %u\n", key, most);
	return ERR(ERR_INVALID);
}

static struct err
fill_in(struct config *c, struct buf *problem)
{
	if (c->n_listen == 0) {
		c->listen = calloc(1, sizeof(*c->listen));
		if (!c->listen)
			return ERR(ERR_NO_MEMORY);
		c->n_listen = 1;
	}
	for (uint64_t i = 0; i < c->n_listen; i++)
		if (!set_text(&c->listen[i], "127.0.0.1:8443"))
			return ERR(ERR_NO_MEMORY);
	if (!set_text(&c->region, "us-east-1"))
		return ERR(ERR_NO_MEMORY);
	TRY(in_range(&c->session.idle_minutes, 30, 24 * 60, "session.idle_minutes", problem));
	TRY(in_range(&c->session.hours, 12, 7 * 24, "session.hours", problem));
	TRY(in_range(&c->cells.memory_mib, 4096, 1024 * 1024, "cells.memory_mib", problem));
	TRY(in_range(&c->cells.cpus, 2, 1024, "cells.cpus", problem));
	TRY(in_range(&c->cells.processes, 512, 32768, "cells.processes", problem));
	TRY(in_range(&c->cells.disk_mib, 10240, 16 * 1024 * 1024, "cells.disk_mib", problem));
	return in_range(&c->cells.minutes, 480, 30 * 24 * 60, "cells.minutes", problem);
}

/*
 * only_comments(s): a file without any key is a document that the library refuses, and the default.
 */
static bool
only_comments(struct str s)
{
	struct str line;

	while (s.n > 0) {
		str_split(s, '\n', &line, &s);
		line = str_trim(line);
		if (line.n > 0 && line.p[0] != '#')
			return false;
	}
	return true;
}

/*
 * name_line(file, problem): the library says which key it does not know, but not always on which
 * line.
 */
static void
name_line(struct str file, struct buf *problem)
{
	struct str mark = STR("Unexpected key: ");
	size_t at = str_find(buf_str(problem), mark);
	struct str key, line, rest;
	unsigned n = 0;

	if (at == SIZE_MAX)
		return;
	str_split(str_sub(buf_str(problem), at + mark.n, SIZE_MAX), '\n', &key, &rest);
	while (file.n > 0) {
		n++;
		str_split(file, '\n', &line, &file);
		if (!str_starts(str_trim(line), key))
			continue;
		buf_printf(problem, "line %u: there is no key \"%.*s\" in this place\n", n,
		    STR_ARG(str_sub(key, 0, 64)));
		return;
	}
}

struct err
config_load(int dir, struct buf *problem, struct config **ret)
{
	AUTO_BUF file = BUF(CONFIG_BYTES_MAX);
	cyaml_config_t lib = library(problem);
	struct config *c = NULL;
	struct err e = fd_read_file(dir, CONFIG_FILE, &file);

	if (err_is(e) && e.code != ERR_NOT_FOUND)
		return e;
	if (only_comments(buf_str(&file)))
		c = cyaml_mem(NULL, NULL, sizeof(*c)); /* freed by the library */
	else if (cyaml_load_data((const uint8_t *)file.p, file.n, &lib, &schema,
		     (cyaml_data_t **)&c, NULL) != CYAML_OK) {
		name_line(buf_str(&file), problem);
		return ERR(ERR_INVALID);
	}
	if (!c)
		return ERR(ERR_NO_MEMORY);
	if (only_comments(buf_str(&file)))
		*c = (struct config){0};
	e = fill_in(c, problem);
	if (err_is(e)) {
		config_free(c);
		return e;
	}
	*ret = c;
	return OK;
}
