-- title = "قسط‌هایی که سررسیدشان نزدیک است"
-- about = "قسط‌های پرداخت‌نشده‌ی حق انشعاب، از امروز تا این تعداد روز دیگر"
-- key = "instalment"
-- subscriber = "subscriber_id"
-- [parameters]
-- days = { type = "days_ahead", title = "تا چند روز دیگر", default = 7 }
-- [columns]
-- instalment = "integer"
-- subscriber_id = "integer"
-- number = "text"
-- name = "text"
-- plan = "text"
-- which = "integer"
-- amount = "rial"
-- due = "date"
-- bill_id = "text"
-- payment_id = "text"
SELECT i.id AS instalment, i.subscriber_id, s.number, s.name, i.plan, i.number AS which, i.amount,
       i.due_date AS due, i.bill_id, i.payment_id
  FROM instalments AS i
 CROSS JOIN subscribers AS s
 WHERE s.id = i.subscriber_id AND i.id > :after AND s.utility || '' = :utility
   AND i.paid_at IS NULL AND i.due_date >= :today AND i.due_date <= :days
 ORDER BY i.id
 LIMIT :limit
