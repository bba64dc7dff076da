"""Whatever can grow has its maximum here. Names end in what they count."""

# Money: a billion units of a currency. Far above any balance, and its product with the seconds
# of a day still fits the databases' 64-bit integers.
AMOUNT_MICROS_MAX = 10**15

# Calls.
CALL_SECONDS_MAX = 86_400
USED_SECONDS_MAX = 10 * CALL_SECONDS_MAX  # what a switch may report: late, and beyond every grant
SEQUENCE_MAX = 100_000
CALL_KEY_TEXT_MAX = 255
CAUSE_TEXT_MAX = 64
CALL_PAST_MS_MAX = 92 * 86_400_000
CALL_FUTURE_MS_MAX = 5 * 60_000

# The engine and its door.
QUEUE_MAX = 20_000
READS_WAITING_MAX = 1_000
BATCH_MAX = 256
CALL_OWNERS_CACHED_MAX = 400_000
BODY_BYTES_MAX = 64 * 1024
BODY_S_MAX = 30
BATCH_BODY_BYTES_MAX = 1024 * 1024
BATCH_REQUESTS_MAX = 1_000
USER_NAME_TEXT_MAX = 128
LINES_CACHED_MAX = 65_536
DETAIL_TEXT_MAX = 300

# Numbers and rates. E.164 allows 15 digits, so no prefix can be longer.
PREFIX_DIGITS_MAX = 15
NUMBER_TEXT_MAX = 64
NUMBERS_CACHED_MAX = 65_536
RATES_CACHED_MAX = 65_536
RATE_ROWS_MAX = 2_000_000
RATE_FILE_BYTES_MAX = 512 * 1024 * 1024
RATE_MICROS_MAX = 1_000_000_000
INCREMENT_S_MAX = 3_600
DESTINATION_TEXT_MAX = 200
CARD_NAME_TEXT_MAX = 64
SOURCE_TEXT_MAX = 255
ROW_ERRORS_SHOWN_MAX = 100
REPORT_EXAMPLES_MAX = 20

# Supervision and proofs.
EXPIRE_BATCH_MAX = 256
FORGET_BATCH_MAX = 256
FINDINGS_SHOWN_MAX = 100

# Organisations and what belongs to them.
NAME_TEXT_MAX = 128
SWITCH_NAME_TEXT_MAX = 64
KEY_NAME_TEXT_MAX = 64
REASON_TEXT_MAX = 500
ACTOR_TEXT_MAX = 200
IDEMPOTENCY_KEY_TEXT_MAX = 200
LOT_PRIORITY_MAX = 100
PAGE_ROWS_MAX = 1_000
SIGN_IN_KEYS_MAX = 10_000  # places and e-mail addresses whose failures to sign in are remembered
