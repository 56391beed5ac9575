-- Who changed something at night or at the weekend? Zone and hours are those of the company.
WITH settings AS (SELECT 'Europe/London' AS zone, 7 AS first_hour, 19 AS last_hour),
local AS (
  SELECT actor, event_type, created_at AT TIME ZONE zone AS local_time, first_hour, last_hour
  FROM audit_events, settings
  WHERE event_category NOT IN ('auth', 'data_access')
)
SELECT actor, event_type, count(*) AS changes, min(local_time) AS first_at_local, max(local_time) AS last_at_local
FROM local
WHERE isodow(local_time) >= 6 OR hour(local_time) NOT BETWEEN first_hour AND last_hour
GROUP BY ALL
ORDER BY first_at_local, event_type;
