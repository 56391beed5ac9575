-- Who searched logs and call records unusually often in one day (UTC)?
WITH settings AS (SELECT 20 AS more_than)
SELECT actor, CAST(created_at AT TIME ZONE 'UTC' AS DATE) AS day, count(*) AS searches
FROM audit_events
WHERE event_category = 'data_access'
GROUP BY ALL
HAVING count(*) > (SELECT more_than FROM settings)
ORDER BY searches DESC, day, actor;
