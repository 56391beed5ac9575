-- Brings the table audit_events of a DuckDB database up to what the dataset's log has, each commit once and whole.
-- Run it again and again: duckdb audit.duckdb < duckdb.sql
--
-- One transaction takes the rows and the commits' numbers, so that a run that is cut off leaves the table as it was.
-- The table is made anew each time, so that it grows by columns that came with new files; 1 million rows take 3 s. To
-- append in place, see ducklake.py, which works with a DuckDB database as well.

-- The dataset: a folder, or s3://bucket/audit with the extension httpfs. SET VARIABLE audit = '…' before this file also does.
SET VARIABLE audit = coalesce(getvariable('audit'), 'audit');

BEGIN;
CREATE TABLE IF NOT EXISTS loaded (number UBIGINT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS audit_events (id VARCHAR, event_type VARCHAR, event_type_description VARCHAR, created_at TIMESTAMPTZ);
SET VARIABLE last_loaded = (SELECT coalesce(max(number), -1)::BIGINT FROM loaded);

-- Other members of a commit are not looked at, so that new ones do no harm.
CREATE OR REPLACE TEMP TABLE arrived AS
SELECT number, windows
FROM read_json(getvariable('audit') || '/_audit/commits/*.json',
               columns = {number: 'BIGINT', windows: 'STRUCT(files STRUCT(path VARCHAR, format VARCHAR)[])[]'},
               maximum_object_size = 268435456)
WHERE number > getvariable('last_loaded');

-- The log has no gaps: a number that is missing was not listed yet, or somebody took it away.
SET VARIABLE complete = (
  SELECT CASE WHEN count(*) < max(number) - getvariable('last_loaded')
         THEN error('a commit is missing under _audit/commits; nothing was loaded') END
  FROM arrived);

SET VARIABLE files = (
  SELECT list(getvariable('audit') || '/' || file.path ORDER BY file.path)
  FROM (SELECT unnest(w.files) AS file FROM (SELECT unnest(windows) AS w FROM arrived))
  WHERE file.format = 'parquet');

-- No list of files is empty for DuckDB, hence the choice of a query. Folders are no columns: created_at has the day.
SET VARIABLE rows_of_files = CASE
  WHEN getvariable('files') IS NULL THEN 'FROM audit_events LIMIT 0'
  ELSE 'FROM read_parquet(getvariable(''files''), union_by_name = true, hive_partitioning = false)' END;

CREATE OR REPLACE TABLE audit_events AS
FROM audit_events UNION ALL BY NAME FROM query(getvariable('rows_of_files'));

INSERT INTO loaded SELECT number FROM arrived;
COMMIT;
