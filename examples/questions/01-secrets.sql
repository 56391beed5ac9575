-- Who created or revoked API secrets, when and from where?
SELECT created_at, event_action, actor, source_ip, source_country, account_id, target_id
FROM audit_events
WHERE event_category = 'secret'
ORDER BY created_at, id;
