-- Who gave up many numbers in one day (UTC)? A released number can be taken by anybody.
WITH settings AS (SELECT 5 AS at_least)
SELECT actor, CAST(created_at AT TIME ZONE 'UTC' AS DATE) AS day, count(*) AS released,
       count(DISTINCT target_msisdn) AS numbers, min(created_at) AS first_at, max(created_at) AS last_at
FROM audit_events
WHERE event_category = 'number' AND event_action = 'release'
GROUP BY ALL
HAVING count(*) >= (SELECT at_least FROM settings)
ORDER BY released DESC, day, actor;
