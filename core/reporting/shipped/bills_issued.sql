-- title = "قبض‌های تازه"
-- about = "قبض‌هایی که از این تعداد روز پیش تاکنون صادر شده‌اند"
-- key = "bill"
-- subscriber = "subscriber_id"
-- [parameters]
-- days = { type = "days_ago", title = "از چند روز پیش", default = 1 }
-- [columns]
-- bill = "integer"
-- subscriber_id = "integer"
-- number = "text"
-- name = "text"
-- period = "text"
-- kind = "text"
-- amount = "rial"
-- payable = "rial"
-- bill_id = "text"
-- payment_id = "text"
-- due = "date"
-- used = "integer"
-- from_date = "date"
-- to_date = "date"
SELECT b.id AS bill, b.subscriber_id, s.number, s.name, b.period, b.kind, b.amount, b.payable,
       b.bill_id, b.payment_id,
       -- Who owes of earlier bills is told no deadline, as in answers (core/bills.py) …
       CASE WHEN b.payable - b.amount < 1000 THEN b.due_date END AS due,
       -- … and what was used follows from the readings where the bill does not say it.
       COALESCE(b.used, b.to_reading - b.from_reading + CASE WHEN b.to_reading < b.from_reading
           THEN CAST('1' || substr('000000000', 1, s.meter_digits) AS BIGINT) ELSE 0 END) AS used,
       b.from_date, b.to_date
  FROM bills AS b
 CROSS JOIN subscribers AS s
 WHERE s.id = b.subscriber_id AND b.id > :after AND b.issued_at >= :days_at
   AND s.utility || '' = :utility
 ORDER BY b.id
 LIMIT :limit
