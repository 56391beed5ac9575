-- Questions to an export in ./demo-export, for DuckDB. Each stands alone.
-- A day without rows can mean that nothing happened: the log under _audit/commits tells, since it names each proven day.

-- What is in it, by kind of change.
SELECT event_category, event_action, count(*) AS events, count(DISTINCT actor) AS actors,
       min(created_at) AS first_seen, max(created_at) AS last_seen
FROM read_parquet('demo-export/parquet/**/*.parquet')
GROUP BY ALL
ORDER BY events DESC;

-- Who changed the list of allowed IP addresses?
SELECT created_at, event_action, actor, target_ip, source_ip, source_country
FROM read_parquet('demo-export/parquet/**/*.parquet')
WHERE event_category = 'ip_allowlist'
ORDER BY created_at;

-- Where does inbound traffic of each number go now?
SELECT target_msisdn,
       arg_max(context__voice_type, created_at) AS voice_type,
       arg_max(context__voice_value, created_at) AS voice_value,
       max(created_at) AS since,
       arg_max(actor, created_at) AS changed_by
FROM read_parquet('demo-export/parquet/**/*.parquet')
WHERE event_type = 'NUMBER_UPDATED' AND context__voice_type IS NOT NULL
GROUP BY target_msisdn
ORDER BY since DESC
LIMIT 20;

-- What do the typed columns not hold? These are the event types to look at with a person.
SELECT event_type, count(*) AS events, count(unmapped_json) AS with_remainder, count(created_at) AS with_time
FROM read_parquet('demo-export/parquet/**/*.parquet')
GROUP BY event_type
ORDER BY with_remainder DESC, events DESC;
