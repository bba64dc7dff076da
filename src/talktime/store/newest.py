"""The newest id in a database: ids sort by the time at which they were made."""

from talktime.store.database import Connection

NEWEST_OF_CELL = """
SELECT MAX(id) FROM (
    SELECT MAX(id) AS id FROM lot
    UNION ALL SELECT MAX(id) FROM call
    UNION ALL SELECT MAX(id) FROM transfer
    UNION ALL SELECT MAX(id) FROM usage_record
    UNION ALL SELECT MAX(id) FROM person
    UNION ALL SELECT MAX(id) FROM licence_group
    UNION ALL SELECT MAX(id) FROM payment_method
    UNION ALL SELECT MAX(id) FROM card_setup
    UNION ALL SELECT MAX(id) FROM payment
    UNION ALL SELECT MAX(id) FROM payment_try
    UNION ALL SELECT MAX(id) FROM refund
    UNION ALL SELECT MAX(id) FROM provider_event
    UNION ALL SELECT MAX(id) FROM grant_request
    UNION ALL SELECT MAX(id) FROM taken_back
    UNION ALL SELECT MAX(id) FROM document
    UNION ALL SELECT MAX(id) FROM post_statement
    UNION ALL SELECT MAX(id) FROM outbox
    UNION ALL SELECT MAX(id) FROM delivery
    UNION ALL SELECT MAX(id) FROM recipient
    UNION ALL SELECT MAX(id) FROM webhook_endpoint
) AS newest
"""
NEWEST_OF_CONTROL_PLANE = """
SELECT MAX(id) FROM (
    SELECT MAX(id) AS id FROM organisation
    UNION ALL SELECT MAX(id) FROM switch
    UNION ALL SELECT MAX(id) FROM api_key
    UNION ALL SELECT MAX(id) FROM rate_card
    UNION ALL SELECT MAX(id) FROM catalogue_row
    UNION ALL SELECT MAX(id) FROM account
    UNION ALL SELECT MAX(id) FROM membership
) AS newest
"""


def newest_id_of_cell(connection: Connection) -> int:
    """The newest id in a cell; 0 where it is empty."""
    return int(connection.rows(NEWEST_OF_CELL)[0][0] or 0)


def newest_id_of_control_plane(connection: Connection) -> int:
    """The newest id in the control plane; 0 where it is empty."""
    return int(connection.rows(NEWEST_OF_CONTROL_PLANE)[0][0] or 0)
