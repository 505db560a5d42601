"""A researcher's analysis, run as a batch job in a cell: how blood sugar control differs by age group, with counts that are large enough to be shown, and what must not
leave: a table of single people.
"""

import pathlib

import duckdb

out = pathlib.Path("airlock/outbox")
out.mkdir(parents=True, exist_ok=True)
db = duckdb.connect()
for table in ("person", "measurement"):
    db.execute(f"CREATE VIEW {table} AS SELECT * FROM '/release/parquet/{table}.parquet'")
people = db.execute("SELECT count(*) FROM person").fetchone()[0]

# fit to be shown: groups of thirteen and more, so that counts rounded to five are fifteen and more
rows = db.execute("SELECT measurement_source_value AS code, count(DISTINCT person_id) AS patients, avg(value_as_number) AS mean FROM measurement "
                  "WHERE value_as_number IS NOT NULL GROUP BY 1 HAVING count(DISTINCT person_id) >= 13 ORDER BY 2 DESC LIMIT 20").fetchall()
(out / "means.csv").write_text("code,patients,mean\n" + "".join(f"{c},{int(round(n / 5.0) * 5)},{m:.2f}\n" for c, n, m in rows))
(out / "README.md").write_text("# Means of measurements by code\n\nCounts of patients are rounded to the nearest five; groups of fewer than 13 are left out.\n")

# not fit: one line a person
few = db.execute("SELECT * FROM person LIMIT 40").fetchall()
names = [d[0] for d in db.description]
(out / "people.csv").write_text(",".join(names) + "\n" + "".join(",".join("" if v is None else str(v) for v in r) + "\n" for r in few))
print(f"{people} people, {len(rows)} groups")
