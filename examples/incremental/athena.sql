-- Athena: new slots into a table of its own. Not run by any test; after the documentation of Athena (engine version 3).
-- To query the files where they lie, nothing has to be loaded: `vonage-audit schema ddl --engine athena` projects the
-- partitions, so that new days and late files are seen by the next query. Where projection is not wanted:
--   ALTER TABLE audit_events ADD IF NOT EXISTS PARTITION (event_date = '2026-03-01');

-- Once: the log as a table. Members that are not named here are ignored.
CREATE EXTERNAL TABLE audit_commits (
  number bigint,
  windows array<struct<files: array<struct<path: string, format: string>>>>
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://bucket/audit/_audit/commits/';

-- Once: an Iceberg table with the columns of audit_events and the number of the commit that brought the row.
CREATE TABLE audit_loaded (commit_number bigint /* , … the columns that `schema ddl --engine athena` lists */)
LOCATION 's3://bucket/audit-loaded/'
TBLPROPERTIES ('table_type' = 'ICEBERG');

-- After each export: one statement, which Iceberg commits whole or not at all. The table remembers by itself what it has,
-- since each row says which commit it came with. After `ALTER TABLE audit_loaded ADD COLUMNS`, name the new columns here.
INSERT INTO audit_loaded (commit_number, id, event_type, created_at /* , … */)
SELECT c.number, e.id, e.event_type, e.created_at /* , … */
FROM audit_commits AS c
CROSS JOIN UNNEST(c.windows) AS w (window_of_log)
CROSS JOIN UNNEST(window_of_log.files) AS f (file)
JOIN audit_events AS e ON e."$path" = 's3://bucket/audit/' || file.path
WHERE file.format = 'parquet'
  AND c.number > (SELECT coalesce(max(commit_number), -1) FROM audit_loaded);
