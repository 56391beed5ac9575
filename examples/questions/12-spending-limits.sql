-- Who changed what stops the spending: automatic reload and billing?
SELECT created_at, event_type, actor, source_ip, context_json
FROM audit_events
WHERE target_type IN ('autoreload', 'billing')
ORDER BY created_at, id;
