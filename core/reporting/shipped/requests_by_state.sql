-- title = "درخواست‌ها بر پایه‌ی وضعیت"
-- about = "درخواست‌هایی که در این وضعیت هستند؛ نوع درخواست را می‌توان تعیین کرد"
-- key = "request"
-- subscriber = "subscriber_id"
-- mobile = "mobile"
-- [parameters]
-- state = { type = "text", title = "وضعیت", default = "registered", values = ["registered", "in_review", "incomplete", "fee_announced", "voucher_issued", "paid", "operational", "done", "rejected", "cancelled"] }
-- kind = { type = "text", title = "نوع؛ خالی یعنی همه", default = "", values = "SELECT kind AS value FROM requests WHERE utility = :utility" }
-- [columns]
-- request = "integer"
-- subscriber_id = "integer"
-- mobile = "text"
-- number = "text"
-- tracking = "text"
-- kind = "text"
-- state = "text"
-- fee = "rial"
-- bill_id = "text"
-- payment_id = "text"
-- created_at = "instant"
-- changed_at = "instant"
SELECT r.id AS request, r.subscriber_id, r.mobile, s.number, r.tracking, r.kind, r.state, r.fee,
       r.bill_id, r.payment_id, r.created_at, r.changed_at
  FROM requests AS r
  LEFT JOIN subscribers AS s ON s.id = r.subscriber_id
 WHERE r.id > :after AND r.utility || '' = :utility AND r.state = :state
   AND (:kind = '' OR r.kind = :kind)
 ORDER BY r.id
 LIMIT :limit
