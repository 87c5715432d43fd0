-- title = "بدهکارانی که مهلت آخرین قبض آنها گذشته است"
-- about = "آخرین قبض هر اشتراک، اگر پس از پرداخت‌ها و اصلاح‌ها هنوز بدهی دارد"
-- key = "subscription"
-- subscriber = "subscriber_id"
-- [parameters]
-- days = { type = "days_ago", title = "چند روز از مهلت گذشته باشد", default = 10 }
-- least = { type = "integer", title = "کمترین بدهی، ریال", default = 1000 }
-- [columns]
-- subscription = "integer"
-- subscriber_id = "integer"
-- number = "text"
-- name = "text"
-- period = "text"
-- amount = "rial"
-- payable = "rial"
-- debt = "rial"
-- bill_id = "text"
-- payment_id = "text"
-- due = "date"
SELECT o.subscription, o.subscription AS subscriber_id, o.number, o.name, o.period, o.amount,
       o.payable, o.debt, o.bill_id, o.payment_id, o.due
  FROM (
        SELECT s.id AS subscription, s.number, s.name, b.period, b.amount, b.payable, b.bill_id,
               b.payment_id, b.due_date AS due,
               b.payable
               - (SELECT COALESCE(SUM(p.amount), 0) FROM payments AS p
                   WHERE p.subscriber_id = b.subscriber_id AND p.paid_at >= b.issued_at
                     AND (p.payment_id = b.payment_id
                          OR NOT EXISTS (SELECT 1 FROM instalments AS i
                                          WHERE i.subscriber_id = p.subscriber_id
                                            AND i.bill_id = p.bill_id
                                            AND i.payment_id = p.payment_id)))
               - (SELECT COALESCE(SUM(c.amount), 0) FROM corrections AS c
                   WHERE c.subscriber_id = b.subscriber_id AND c.at >= b.issued_at) AS debt
          FROM subscribers AS s
          JOIN bills AS b
            ON b.id = (SELECT n.id FROM bills AS n WHERE n.subscriber_id = s.id
                        ORDER BY n.issued_at DESC, n.id DESC LIMIT 1)
         WHERE s.id > :after AND s.utility || '' = :utility AND b.due_date <= :days
       ) AS o
 WHERE o.debt >= :least
 ORDER BY o.subscription
 LIMIT :limit
