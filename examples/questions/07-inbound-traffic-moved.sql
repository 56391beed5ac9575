-- For which numbers did calls begin to go elsewhere, and where did they go before?
-- A destination whose shape no column holds is shown as the event's whole context.
WITH destinations AS (
  SELECT created_at, id, actor, source_ip, target_msisdn,
         coalesce(context__voice_type || ' ' || context__voice_value, context__http, context_json) AS destination
  FROM audit_events
  WHERE event_type = 'NUMBER_UPDATED'
),
moves AS (
  SELECT *, lag(destination) OVER (PARTITION BY target_msisdn ORDER BY created_at, id) AS before
  FROM destinations
)
SELECT created_at, target_msisdn, before, destination, actor, source_ip
FROM moves
WHERE before <> destination
ORDER BY created_at, id;
