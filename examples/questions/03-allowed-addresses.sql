-- Who changed the list of addresses that may call the API?
SELECT created_at, event_action, target_ip, actor, source_ip
FROM audit_events
WHERE event_category = 'ip_allowlist'
ORDER BY created_at, id;
