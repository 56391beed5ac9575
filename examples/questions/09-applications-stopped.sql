-- Which applications were deleted or disabled?
SELECT created_at, event_action, target_application_id, actor, source_ip
FROM audit_events
WHERE event_category = 'application' AND event_action IN ('delete', 'disable')
ORDER BY created_at, id;
