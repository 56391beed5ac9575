-- Which users were created, and who was given or denied access? What exactly is in the context.
SELECT created_at, event_type, actor, source_ip, context_json
FROM audit_events
WHERE event_category = 'user' AND event_action IN ('create', 'access_update', 'status_change')
ORDER BY created_at, id;
