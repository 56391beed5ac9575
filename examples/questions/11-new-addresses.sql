-- From which addresses did something come for the first time since a date?
WITH settings AS (SELECT TIMESTAMPTZ '2026-03-15 00:00:00+00' AS since)
SELECT source_ip, any_value(source_country) AS source_country, min(created_at) AS first_seen, count(*) AS events,
       count(DISTINCT actor) AS actors
FROM audit_events
WHERE source_ip IS NOT NULL
GROUP BY source_ip
HAVING min(created_at) >= (SELECT since FROM settings)
ORDER BY first_seen, source_ip;
