-- title = "کنتورهایی که مدتی است خوانده نشده‌اند"
-- about = "اشتراک‌های فعالی که از این تعداد روز پیش تاکنون هیچ رقمی برایشان ثبت نشده است"
-- key = "subscription"
-- subscriber = "subscriber_id"
-- [parameters]
-- days = { type = "days_ago", title = "چند روز خوانده نشده باشد", default = 75 }
-- [columns]
-- subscription = "integer"
-- subscriber_id = "integer"
-- number = "text"
-- name = "text"
-- meter_serial = "text"
-- address = "text"
-- last_read_at = "instant"
SELECT s.id AS subscription, s.id AS subscriber_id, s.number, s.name, s.meter_serial, s.address,
       (SELECT MAX(l.read_at) FROM readings AS l
         WHERE l.subscriber_id = s.id AND l.state <> 'rejected') AS last_read_at
  FROM subscribers AS s
 WHERE s.id > :after AND s.utility || '' = :utility AND s.state = 'active'
   AND NOT EXISTS (SELECT 1 FROM readings AS r
                    WHERE r.subscriber_id = s.id AND r.read_at >= :days_at
                      AND r.state <> 'rejected')
 ORDER BY s.id
 LIMIT :limit
