"""What must hold between documents, payments, statements and transfers: statements of the same form
as book_checks.py.

A statement's transfer has the statement's id, a payment of a statement's transfer the payment's,
and the refund's where that was undone. A credit note of statements has its own id on its usage
records and its transfer, as a statement has.
"""

from talktime.core.ledger import RECEIVABLES

# A gap that was written down takes the place of its numbers; the counter stands at the last.
DOCUMENT_NUMBERS = """
    SELECT organisation_id, id, NULL, CAST(place AS BIGINT), number, COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id, number,
            SUM(wide) OVER (ORDER BY number ROWS UNBOUNDED PRECEDING) - wide + 1 AS place
        FROM (
            SELECT organisation_id, id, number, 1 AS wide FROM document
            UNION ALL SELECT 0, 0, first_number, last_number - first_number + 1
            FROM document_gap) each_one
        UNION ALL SELECT 0, 0, value, (SELECT COUNT(*) FROM document) + (
            SELECT COALESCE(SUM(last_number - first_number + 1), 0) FROM document_gap)
        FROM revision WHERE name = 'documents') n
    WHERE number <> place
    ORDER BY 1, 2 LIMIT ?"""
PAYMENT_INVOICES = """
    SELECT p.organisation_id, p.id, p.lot_id, MAX(p.amount_micros),
        MAX(CASE WHEN d.organisation_id = p.organisation_id THEN d.amount_micros END),
        COUNT(*) OVER ()
    FROM payment p LEFT JOIN document d ON d.lot_id = p.lot_id AND d.kind = 'invoice'
    WHERE p.lot_id IS NOT NULL
    GROUP BY p.organisation_id, p.id, p.lot_id
    HAVING COUNT(d.id) <> 1 OR MAX(CASE WHEN d.organisation_id = p.organisation_id
        AND d.amount_micros = p.amount_micros AND d.currency = p.currency THEN 1 ELSE 0 END) = 0
    ORDER BY 1, 2 LIMIT ?"""
STATEMENT_USAGE = f"""
    SELECT organisation_id, statement_id, NULL,
        CAST(SUM(recorded) AS BIGINT), CAST(SUM(amount) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id AS statement_id, amount_micros AS amount, 0 AS recorded,
            0 AS moved, 0 AS written
        FROM post_statement
        UNION ALL SELECT p.organisation_id, p.statement_id, 0,
            CASE WHEN u.organisation_id = p.organisation_id THEN u.post_micros ELSE 0 END, 0, 0
        FROM post_statement_usage p LEFT JOIN usage_record u ON u.id = p.usage_id
        UNION ALL SELECT organisation_id, id, 0, 0,
            CASE debit_account WHEN {RECEIVABLES} THEN amount_micros ELSE -amount_micros END, 0
        FROM transfer WHERE kind = 'statement'
        UNION ALL SELECT d.organisation_id, d.id, d.amount_micros, 0, 0, d.amount_micros
        FROM transfer t JOIN document d ON d.id = t.id AND d.organisation_id = t.organisation_id
        WHERE t.kind = 'statement' AND d.kind = 'credit_note'
        UNION ALL SELECT s.organisation_id, s.id, 0, 0, 0, d.amount_micros
        FROM post_statement s JOIN document d ON d.id = s.document_id
        WHERE d.organisation_id = s.organisation_id AND d.kind = 'statement') m
    GROUP BY organisation_id, statement_id
    HAVING SUM(amount) <> SUM(recorded) OR SUM(amount) <> SUM(moved)
        OR SUM(amount) <> SUM(written)
    ORDER BY 1, 2 LIMIT ?"""
STATEMENT_PAYMENTS = """
    SELECT organisation_id, statement_id, NULL,
        CAST(SUM(moved) AS BIGINT), CAST(SUM(paid) AS BIGINT), COUNT(*) OVER ()
    FROM (
        SELECT organisation_id, id AS statement_id, paid_micros AS paid, 0 AS taken, 0 AS moved
        FROM post_statement
        UNION ALL SELECT organisation_id, statement_id, 0, amount_micros, 0
        FROM payment WHERE kind = 'statement' AND state = 'succeeded'
        UNION ALL SELECT r.organisation_id, p.statement_id, 0, -r.amount_micros, 0
        FROM refund r JOIN payment p ON p.id = r.payment_id
        WHERE r.kind = 'refund' AND p.kind = 'statement'
        UNION ALL SELECT t.organisation_id, p.statement_id, 0, 0, t.amount_micros
        FROM transfer t LEFT JOIN payment p ON p.id = t.id
        WHERE t.kind = 'payment'
        UNION ALL SELECT t.organisation_id, p.statement_id, 0, 0, -t.amount_micros
        FROM transfer t JOIN refund r ON r.id = t.id JOIN payment p ON p.id = r.payment_id
        WHERE t.kind = 'refund' AND p.kind = 'statement') m
    GROUP BY organisation_id, statement_id
    HAVING SUM(paid) <> SUM(taken) OR SUM(paid) <> SUM(moved)
    ORDER BY 1, 2 LIMIT ?"""
