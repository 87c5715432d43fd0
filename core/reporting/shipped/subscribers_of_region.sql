-- title = "مشترکان یک منطقه"
-- about = "اشتراک‌های فعال یک منطقه، برای خبرهایی مانند قطع برنامه‌ریزی‌شده"
-- key = "subscription"
-- subscriber = "subscriber_id"
-- [parameters]
-- region = { type = "text", title = "منطقه؛ خالی یعنی همه", default = "", values = "SELECT region AS value FROM subscribers WHERE utility = :utility" }
-- [columns]
-- subscription = "integer"
-- subscriber_id = "integer"
-- number = "text"
-- name = "text"
-- region = "text"
-- address = "text"
SELECT s.id AS subscription, s.id AS subscriber_id, s.number, s.name, s.region, s.address
  FROM subscribers AS s
 WHERE s.id > :after AND s.utility || '' = :utility AND s.state = 'active'
   AND (:region = '' OR s.region = :region)
 ORDER BY s.id
 LIMIT :limit
