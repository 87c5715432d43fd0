-- title = "قبض‌های یک دوره"
-- about = "هر قبضی که برای این دوره صادر شده است"
-- key = "bill"
-- subscriber = "subscriber_id"
-- [parameters]
-- period = { type = "text", title = "دوره، مانند 1405/03", values = "SELECT b.period AS value FROM bills AS b JOIN subscribers AS s ON s.id = b.subscriber_id WHERE s.utility = :utility" }
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
       b.bill_id, b.payment_id, b.due_date AS due, b.used, b.from_date, b.to_date
  FROM bills AS b
 CROSS JOIN subscribers AS s
 WHERE s.id = b.subscriber_id AND b.id > :after AND b.period = :period
   AND s.utility || '' = :utility
 ORDER BY b.id
 LIMIT :limit
