/* JSON, and the notebook, which is JSON with outputs in it. Trees are walked without recursion, to a depth. */
#include <jansson.h>
#include <stdio.h>

#include "airlock/checks_private.h"
#include "base/buf.h"

#define DEPTH_MAX 64
#define DAYS_NOTED 1

struct step {
	json_t *at;
	void *iter;   /* of an object */
	size_t index; /* of an array */
	bool counts;  /* it lies under the name of a count */
};

static bool
small(const json_t *v)
{
	return (json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) <= 10) ||
	    (json_is_real(v) && json_real_value(v) > 0 && json_real_value(v) <= 10 &&
	    json_real_value(v) == (double)(long long)json_real_value(v));
}

struct seen { uint64_t small, days, values; };

static struct err
scalar(struct looking *l, const json_t *v, bool counts, struct seen *seen)
{
	struct str s;

	seen->values++;
	seen->small += counts && small(v);
	if (!json_is_string(v))
		return OK;
	s = str_of(json_string_value(v), json_string_length(v));
	seen->days += is_day(s);
	seen->small += counts && is_small_count(s);
	/* the bytes of the file were looked through; an escape (\u0041) hides a letter from that */
	return look_identity(l, s, "value in ");
}

/* down(v, steps, &depth, counts): steps into a container; false: too deep */
static bool
down(json_t *v, struct step *steps, size_t *depth, bool counts)
{
	if (*depth == DEPTH_MAX)
		return false;
	steps[(*depth)++] = (struct step){.at = v, .iter = json_is_object(v) ? json_object_iter(v) : NULL, .counts = counts};
	return true;
}

static struct err
walk(struct looking *l, json_t *root, struct seen *seen)
{
	struct step steps[DEPTH_MAX];
	size_t depth = 0;

	if (!down(root, steps, &depth, false))
		return OK;
	while (depth > 0) {
		struct step *s = &steps[depth - 1];
		bool counts = s->counts;
		json_t *v = NULL;

		if (json_is_object(s->at) && s->iter) {
			struct str key = str_c(json_object_iter_key(s->iter));

			v = json_object_iter_value(s->iter);
			counts = counts || is_count_name(key);
			s->iter = json_object_iter_next(s->at, s->iter);
			TRY(look_identity(l, key, "key in "));
		} else if (json_is_array(s->at) && s->index < json_array_size(s->at)) {
			v = json_array_get(s->at, s->index++);
		} else {
			depth--;
			continue;
		}
		if (!json_is_object(v) && !json_is_array(v)) {
			TRY(scalar(l, v, counts, seen));
		} else if (!down(v, steps, &depth, counts)) {
			finding_add(l, "too-deep", CHECK_BLOCK, 1, "json");
			return OK;
		}
	}
	return OK;
}

/* rows_of(l, root): an array of objects is a table, and is looked at as one; so is one under a name of the first level */
static struct err
rows_of(struct looking *l, const json_t *list)
{
	struct table *t;

	if (!json_is_array(list) || json_array_size(list) == 0 || !json_is_object(json_array_get(list, 0)))
		return OK;
	t = table_new(l);
	if (!t)
		return ERR(ERR_NO_MEMORY);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *row = json_array_get(list, i);

		for (void *it = json_object_iter(row); it; it = json_object_iter_next(row, it)) {
			json_t *v = json_object_iter_value(it);
			char number[32];

			if (json_is_string(v)) {
				table_cell(t, str_of(json_string_value(v), json_string_length(v)));
				continue;
			}
			if (json_is_real(v))
				(void)snprintf(number, sizeof(number), "%.6f", json_real_value(v));
			else
				(void)snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
			table_cell(t, json_is_number(v) ? str_c(number) : STR_NONE);
		}
		table_row(t);
	}
	table_end(t);
	table_free(t);
	return OK;
}

/* text_of(v, out): a string, or the lines of an array of strings */
static bool
text_of(const json_t *v, struct buf *out)
{
	buf_clear(out);
	if (json_is_string(v))
		buf_put(out, json_string_value(v), json_string_length(v));
	for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
		const json_t *line = json_array_get(v, i);

		if (!json_is_string(line))
			return false;
		buf_put(out, json_string_value(line), json_string_length(line));
	}
	return (json_is_string(v) || json_is_array(v)) && !err_is(buf_check(out));
}

static struct err
notebook_image(struct looking *l, struct str base64, struct buf *image)
{
	AUTO_BUF packed = BUF(CHECKS_JSON_BYTES);

	for (size_t i = 0; i < base64.n; i++)
		if (base64.p[i] != '\n' && base64.p[i] != '\r' && base64.p[i] != ' ')
			buf_put_char(&packed, base64.p[i]);
	buf_clear(image);
	if (err_is(buf_check(&packed)) || err_is(buf_decode_base64(image, buf_str(&packed))) ||
	    !str_starts(buf_str(image), STR("\x89PNG\r\n\x1a\n"))) {
		finding_add(l, "image-broken", CHECK_BLOCK, 1, "output");
		return OK;
	}
	look_png(l, buf_str(image), "output ");
	return OK;
}

static struct err
notebook_data(struct looking *l, const char *kind, const json_t *v)
{
	AUTO_BUF text = BUF(CHECKS_JSON_BYTES), image = BUF(CHECKS_JSON_BYTES);

	if (strcmp(kind, "application/json") == 0)
		return OK; /* walked with the rest */
	if (!text_of(v, &text)) {
		finding_add(l, "output-type", CHECK_BLOCK, 1, "output");
		return OK;
	}
	TRY(look_identity(l, buf_str(&text), "output "));
	if (strcmp(kind, "text/plain") == 0 || strcmp(kind, "text/markdown") == 0 || strcmp(kind, "text/latex") == 0) {
		look_plain(l, buf_str(&text));
	} else if (strcmp(kind, "image/png") == 0) {
		return notebook_image(l, buf_str(&text), &image);
	} else if (strcmp(kind, "image/svg+xml") == 0) {
		look_svg(l, buf_str(&text));
	} else if (strcmp(kind, "text/html") == 0) {
		struct table *t = table_new(l);

		if (!t)
			return ERR(ERR_NO_MEMORY);
		look_html(l, t, buf_str(&text));
		table_free(t);
	} else {
		finding_add(l, "output-type", CHECK_BLOCK, 1, "output"); /* widgets, plots with their data in them */
	}
	return OK;
}

static struct err
notebook_output(struct looking *l, json_t *output)
{
	json_t *data = json_object_get(output, "data"), *text = json_object_get(output, "text");

	if (text)
		TRY(notebook_data(l, "text/plain", text));
	if (json_object_get(output, "traceback"))
		finding_add(l, "traceback", l->with->inward ? CHECK_NOTE : CHECK_WARN, 1, "output");
	for (void *it = json_object_iter(data); it; it = json_object_iter_next(data, it))
		TRY(notebook_data(l, json_object_iter_key(it), json_object_iter_value(it)));
	return OK;
}

static struct err
notebook(struct looking *l, json_t *root)
{
	json_t *cells = json_object_get(root, "cells");

	if (json_object_get(json_object_get(root, "metadata"), "widgets"))
		finding_add(l, "output-type", CHECK_BLOCK, 1, "metadata");
	for (size_t i = 0; i < json_array_size(cells); i++) {
		json_t *cell = json_array_get(cells, i), *outputs = json_object_get(cell, "outputs");
		AUTO_BUF text = BUF(CHECKS_JSON_BYTES);

		if (json_object_size(json_object_get(cell, "attachments")) > 0)
			finding_add(l, "attachment", CHECK_BLOCK, 1, "cell %zu", i + 1);
		if (text_of(json_object_get(cell, "source"), &text))
			TRY(look_identity(l, buf_str(&text), "source "));
		for (size_t k = 0; k < json_array_size(outputs); k++)
			TRY(notebook_output(l, json_array_get(outputs, k)));
	}
	return OK;
}

static bool
is_notebook(const json_t *root)
{
	return json_is_integer(json_object_get(root, "nbformat")) && json_is_array(json_object_get(root, "cells"));
}

static struct err
tree(struct looking *l, json_t *root, enum file_type *ret_type)
{
	struct seen seen = {0};
	enum check_severity grave = l->with->inward ? CHECK_NOTE : CHECK_WARN;

	TRY(walk(l, root, &seen));
	if (is_notebook(root)) {
		*ret_type = FILE_NOTEBOOK;
		return notebook(l, root);
	}
	if (seen.small && !l->with->inward)
		finding_add(l, "small-cell", CHECK_BLOCK, seen.small, "json");
	if (seen.days >= DAYS_NOTED)
		finding_add(l, "dates", grave, seen.days, "json");
	TRY(rows_of(l, root));
	for (void *it = json_object_iter(root); it; it = json_object_iter_next(root, it))
		TRY(rows_of(l, json_object_iter_value(it)));
	return OK;
}

struct err
look_json(struct looking *l, struct str s, enum file_type *ret_type)
{
	struct err e;
	json_t *root;

	if (s.n > CHECKS_JSON_BYTES) {
		finding_add(l, "too-large", CHECK_BLOCK, 1, "json");
		return OK;
	}
	if (str_starts(s, STR("\xef\xbb\xbf")))
		s = str_sub(s, 3, s.n);
	root = json_loadb(s.p, s.n, JSON_REJECT_DUPLICATES, NULL);
	if (!root) {
		/* no JSON: a text that begins with a brace */
		*ret_type = FILE_TEXT;
		return OK;
	}
	e = tree(l, root, ret_type);
	json_decref(root);
	return e;
}
