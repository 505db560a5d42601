/* Memory files in and out. */
#include "tables/tables_private.h"

struct err
tables_write(struct tables *t, const char *sql, const char *how, struct memfile *ret)
{
	AUTO_MEMFILE m = {0};
	AUTO_BUF z = BUF(TABLES_LIMIT_SQL);

	TRY(memfile_make(&m));
	buf_printf(&z, "COPY (");
	buf_put_c(&z, sql);
	buf_printf(&z, ") TO '%s' (", m.name);
	buf_put_c(&z, how);
	buf_put_c(&z, ", USE_TMP_FILE false)"); /* into this very file, not beside it */
	buf_put_char(&z, '\0');
	TRY(buf_check(&z));
	TRY(tables_run(t, z.p));
	*ret = memfile_take(&m);
	return OK;
}

struct err
tables_view(struct tables *t, const char *name, const struct memfile *files, size_t n, const char *columns)
{
	AUTO_BUF z = BUF(TABLES_LIMIT_SQL);

	if (n == 0)
		return ERR(ERR_INVALID);
	buf_put_c(&z, "CREATE OR REPLACE VIEW ");
	buf_put_c(&z, name);
	buf_put_c(&z, " AS SELECT ");
	buf_put_c(&z, columns);
	buf_put_c(&z, " FROM read_parquet([");
	for (size_t i = 0; i < n; i++) {
		buf_put_c(&z, i ? ",'" : "'");
		buf_put_c(&z, files[i].name);
		buf_put_c(&z, "'");
	}
	buf_put_c(&z, "])");
	buf_put_char(&z, '\0');
	TRY(buf_check(&z));
	return tables_run(t, z.p);
}
