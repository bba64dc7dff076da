"""Whatever can grow has its maximum here. Names end in what they count."""

# Money: a billion units of a currency, at once; the databases' 64-bit integers hold 9,000 of it.
AMOUNT_MICROS_MAX = 10**15
EXPIRES_MS_MAX = 7_258_118_400_000  # the year 2200

# Calls.
CALL_SECONDS_MAX = 86_400
USED_SECONDS_MAX = 10 * CALL_SECONDS_MAX  # what can be written; core/reported.py says what is taken
SEQUENCE_MAX = 100_000
CALL_KEY_TEXT_MAX = 255
CAUSE_TEXT_MAX = 64
CONFERENCE_TEXT_MAX = 64
CALL_PAST_MS_MAX = 92 * 86_400_000
CALL_FUTURE_MS_MAX = 5 * 60_000
ANSWER_BEFORE_CALL_MS_MAX = 60_000

# The engine and its door.
QUEUE_MAX = 20_000
READS_WAITING_MAX = 1_000
BATCH_MAX = 256
CALL_OWNERS_CACHED_MAX = 400_000
NUMBER_MOVED_MS = 86_400_000  # so long its calls are looked for where it was before
KEPT_ORGANISATIONS_MAX = 20_000  # whose books a cell's writers keep from one batch to the next
KEPT_ROWS_MAX = 20_000  # open calls and meters in these
BODY_BYTES_MAX = 64 * 1024
BODY_S_MAX = 30
HEAD_BYTES_MAX = 64 * 1024
HTTP_CONNECTIONS_MAX = 10_000  # or half of the descriptors; then those without a key go
HTTP_CONNECTIONS_OF_ADDRESS_MAX = 2_000  # or a quarter of the descriptors; then idle ones go
REQUEST_S_MAX = 30
UPLOAD_S_MAX = 120  # a body that the console or the management API reads
BATCH_BODY_BYTES_MAX = 1024 * 1024
BATCH_REQUESTS_MAX = 1_000
USER_NAME_TEXT_MAX = 128
COMPLAINTS_CACHED_MAX = 1_000  # kinds of log lines that a gateway writes once a minute
LINES_CACHED_MAX = 65_536
ENTITLEMENTS_CACHED_MAX = 16_384  # of users who have the same licences
CLEAR_WAYS_CACHED_MAX = 16_384  # of callers who are alike, each to a country and kind of number
DETAIL_TEXT_MAX = 300

# Diameter.
DIAMETER_MESSAGE_BYTES_MAX = 64 * 1024
DIAMETER_CONNECTIONS_MAX = 1_000
DIAMETER_CONNECTIONS_OF_ADDRESS_MAX = 100
DIAMETER_CONNECTIONS_UNMET_MAX = 500  # that have not said who they are; the others are kept free
DIAMETER_WAITING_MAX = 5_000  # requests of one connection that are not answered yet
DIAMETER_ASKS_MAX = 1_000  # by one connection and not answered; then the oldest is given up
DIAMETER_TOLD_AT_ONCE_MAX = 200  # calls that are told to end; a tenth of a second later the next
DIAMETER_CLOCK_BEHIND_MS_MAX = 3_600_000  # a client's; beyond that the service's own is taken
DIAMETER_SESSIONS_CACHED_MAX = 200_000  # whose way to their client is remembered
DIAMETER_IDENTITY_TEXT_MAX = 255
DIAMETER_TEXTS_CACHED_MAX = 4_096
DIAMETER_PARTY_TEXT_MAX = 255
DIAMETER_SUBSCRIPTIONS_MAX = 16
DIAMETER_SERVICES_MAX = 32
DIAMETER_SERVICES_CACHED_MAX = 4_096
DIAMETER_SERVICE_CACHED_BYTES_MAX = 512  # of one; a longer one is read each time
PARTIES_CACHED_MAX = 16_384
DIAMETER_PROXIES_MAX = 8_192  # bytes of Proxy-Info that are given back
SERVICE_CONTEXT_TEXT_MAX = 255
AVP_DEPTH_MAX = 8
AVPS_MAX = 512  # in a message, and in a group

# RADIUS.
RADIUS_PACKET_BYTES_MAX = 4_096
RADIUS_PENDING_MAX = 5_000  # requests that are being decided; more are not answered
RADIUS_ANSWERS_KEPT_MAX = 20_000  # for requests that are sent again
RADIUS_SESSIONS_MAX = 200_000  # calls of which a process knows where to ask for their end
RADIUS_SESSION_TEXT_MAX = 200  # of a client's name with its session id, as a call's key
CALLS_NAMED_MAX = 16  # the last of one RADIUS session id that are read, to find the one of now
RADIUS_TELLING_MAX = 10_000  # calls whose client is being told to end them; others wait
RADIUS_DISCONNECTS_MAX = 250  # under way to one client, of the 256 numbers that RADIUS has
RADIUS_CLOCK_APART_S_MAX = 300  # a client's clock; beyond that the service's own is taken
RADIUS_DELAY_S_MAX = 86_400  # that a client says a report was under way

# Numbers and rates. E.164 allows 15 digits, so no prefix can be longer.
PREFIX_DIGITS_MAX = 15
NUMBER_TEXT_MAX = 64
SHORT_NUMBER_DIGITS_MAX = 6  # dialled as it is in its country: 112, 911, 116117
HELP_NUMBER_DIGITS_MAX = 3  # for help, if anything, wherever it is said to be dialled
NUMBERS_CACHED_MAX = 65_536
RATES_CACHED_MAX = 65_536
AMOUNTS_CACHED_MAX = 4_096
RATE_ROWS_MAX = 2_000_000
RATE_FILE_BYTES_MAX = 512 * 1024 * 1024
DRAFT_ROWS_MAX = 500_000  # of a file that is published in the console; the shell takes more
DRAFT_BYTES_MAX = 64 * 1024 * 1024
DRAFTS_MAX = 20
RATE_MICROS_MAX = 10**12  # a minute: of a currency of small units, a satellite costs 160,000
INCREMENT_S_MAX = 3_600
DESTINATION_TEXT_MAX = 200
CARD_NAME_TEXT_MAX = 64
SOURCE_TEXT_MAX = 255
ROW_ERRORS_SHOWN_MAX = 100
REPORT_EXAMPLES_MAX = 20
CARDS_CACHED_MAX = 32  # versions of cards whose destinations a console remembers, each direction
DESTINATIONS_FOUND_MAX = 5_000
RATE_CARDS_LISTED_MAX = 100  # among which the operator chooses
RATE_CARD_VERSIONS_LISTED_MAX = 2_000  # of all cards
COMPARISONS_CACHED_MAX = 2  # of a file with what is published, kept while it is looked at

# The catalogue.
CATALOGUE_FILE_BYTES_MAX = 1024 * 1024
CATALOGUE_ENTRIES_MAX = 5_000
CATALOGUES_CACHED_MAX = 8
CATALOGUE_CODE_TEXT_MAX = 64
LICENCE_CODE_TEXT_MAX = 64  # part of a meter's key, which has 128
CAPABILITY_TEXT_MAX = 32
CATALOGUE_START_MS_MAX = 7_258_118_400_000  # the year 2200
USER_LICENCES_TEXT_MAX = 2_000  # part of an index's key, which has 2,700 bytes on PostgreSQL
LICENCE_MINUTES_MAX = 1_000_000
MASKED_DIGITS_MAX = 15
NUMBER_QUOTA_MAX = 1_000_000
FIGURES_MAX = 10  # in one setting
CATALOGUE_FIELDS_NOTED_MAX = 40  # of what a change changed

# Replaying a file of calls.
REPLAY_CALLS_MAX = 5_000_000
REPLAY_REPEATS_MAX = 10
REPLAY_CONNECTIONS_MAX = 64

# Supervision and proofs.
EXPIRE_BATCH_MAX = 256
FORGET_BATCH_MAX = 256
CLOSE_BATCH_MAX = 256
USAGE_SUM_BATCH_MAX = 1_000
WALLET_SUM_BATCH_MAX = 10_000
FINDINGS_SHOWN_MAX = 100
FINDINGS_KEPT_MAX = 20  # of each proof
ATTENTION_COUNTED_MAX = 10_000  # of a kind, in a cell; then there are too many to look at each
LIVE_CALLS_MAX = 50_000  # settled ones on the live page; were there more, it shows fewer minutes

# Usage reports.
USAGE_DAYS_MAX = 366
PSTN_CALLS_MS_MAX = 90 * 86_400_000
USAGE_TAIL_MAX = 100_000  # records that are not in the sums yet, of all organisations of a cell
USAGE_PAGE_MAX = 50
USAGE_VISITED_MAX = 40_000  # records that one page of a filtered report looks through
USAGE_TRANSFERS_MAX = 100_000  # looked through for what one call moved
SAVED_VIEWS_MAX = 100
SAVED_VIEW_NAME_TEXT_MAX = 64
SAVED_VIEW_QUERY_TEXT_MAX = 2_000
SAVED_VIEW_PAIRS_MAX = 60  # of names and values in it
CSV_ROWS_MAX = 5_000_000
XLSX_ROWS_MAX = 200_000
BURN_BATCH_MAX = 2_000  # wallets whose spending is noted in one transaction
LEDGER_BATCH_MAX = 50_000  # transfers that are added to their days' sums in one transaction
LEDGER_TAIL_MAX = 20_000  # transfers that are not in these sums yet

# Organisations.
NAME_TEXT_MAX = 128

# Switches and their peers.
SWITCH_NAME_TEXT_MAX = 64
PEERS_MAX = 5_000
PEER_ADDRESSES_CACHED_MAX = 10_000
PEER_NETWORKS_MAX = 32
PEER_SECRET_TEXT_MIN = 16
PEER_SECRET_TEXT_MAX = 128
HOST_TEXT_MAX = 255
WATCHED_CALLS_PAGE = 5_000
CALLS_ENDING_MAX = 10_000  # calls to end that an engine remembers
ENDING_WAIT_S_MAX = 60
ENDING_CURSOR_TEXT_MAX = 64
ENDING_QUERY_BYTES_MAX = 512
ENDING_WAITERS_MAX = 32  # requests of one switch

# Keys and requests.
KEY_NAME_TEXT_MAX = 64
KEEP_HOURS_MAX = 24 * 366  # how long a key that was replaced still works
ORGANISATION_KEYS_MAX = 100  # that open something at once
KEY_REQUESTS_A_SECOND_MAX = 100  # of the management API, by one key in one process
KEY_REQUESTS_AT_ONCE_MAX = 500
KEYS_THROTTLED_MAX = 10_000
CURSOR_TEXT_MAX = 256
REASON_TEXT_MAX = 500
COUNTRIES_TEXT_MAX = 2_000  # codes with spaces between, in a form
VALUE_SHOWN_TEXT_MAX = 40  # of what was sent, in a refusal
PATH_SHOWN_TEXT_MAX = 100
LEGAL_NAME_TEXT_MAX = 200
ADDRESS_TEXT_MAX = 500
TAX_ID_TEXT_MAX = 64
ACTOR_TEXT_MAX = 200
IDEMPOTENCY_KEY_TEXT_MAX = 200
LOT_PRIORITY_MAX = 100

# Users, groups and numbers.
GROUP_NAME_TEXT_MAX = 64
GROUPS_MAX = 1_000
USER_ROWS_MAX = 100_000
USER_FILE_BYTES_MAX = 64 * 1024 * 1024
USERS_REQUEST_MAX = 10_000
USERS_SELECTED_MAX = 10_000  # that one change in the console is for
UPLOADED_USERS_BYTES_MAX = 2 * 1024 * 1024  # a file that is looked at in the console first
UPLOADED_USERS_S_MAX = 3_600  # so long it can be written after that
NUMBERS_REQUEST_MAX = 100  # that are assigned or reserved at once
RESERVED_MS_MAX = 10 * 60_000  # how long a number is kept for an organisation that looks at it

# The console.
CONSOLE_BODY_BYTES_MAX = 8 * 1024 * 1024
CONSOLE_CONNECTIONS_IDLE_MAX = 8  # to each database; as many threads are kept
CONSOLE_CONNECTION_IDLE_S_MAX = 300  # less than what lies between gives a silent connection
PAGE_ROWS_MAX = 1_000
AUDIT_EXPORT_ROWS_MAX = 10_000
SANDBOX_EVENTS_MAX = 100  # webhooks that the sandbox hands out at once
SANDBOX_DECLINES_MAX = 100
PROVIDER_SECRET_TEXT_MAX = 255
LICENSING_TABLES_CACHED_MAX = 64
SEARCH_TEXT_MAX = 100
AMOUNT_TEXT_MAX = 40
CHANGE_SHOWN_TEXT_MAX = 100
SAID_TEXT_MAX = 4_000  # of one text that is translated as it is shown
SAID_CACHED_MAX = 8_192
ACCEPT_LANGUAGE_TEXT_MAX = 200  # of a browser's header
PASSWORD_TEXT_MAX = 1_000
INVITATION_SECRET_TEXT_MAX = 100
SIGN_IN_KEYS_MAX = 10_000  # places and e-mail addresses whose failures to sign in are remembered
SIGN_IN_FAILURES_OF_PAIR_MAX = 5  # of an e-mail address from one place, in a quarter of an hour
SIGN_IN_FAILURES_OF_PLACE_MAX = 20  # whatever the address
SIGN_IN_FAILURES_OF_EMAIL_MAX = 20  # from all places; then one try a minute
INVITATIONS_A_DAY_MAX = 50  # of one organisation
INVITATION_MS_MAX = 7 * 86_400_000  # how long an invitation can be accepted
MEMBERS_MAX = 1_000
ACCOUNT_MAIL_TAKEN_MAX = 64
ACCOUNT_MAIL_KEPT_MS_MAX = 30 * 86_400_000  # without its content

# Payments.
PO_NUMBER_TEXT_MAX = 64
AGREEMENT_TEXT_MAX = 64
PAYMENT_METHODS_MAX = 10
INVOICE_REMINDED_DAYS = 14  # after its order a purchase by invoice is called to mind
INVOICE_GIVEN_UP_DAYS = 60  # after its order a purchase by invoice is given up
DOCUMENTS_SKIPPED_MAX = 1_000_000  # numbers, at once, after a restore
ALERT_LEVELS_MAX = 10
RECHARGES_A_DAY_MAX = 50
ANSWER_TEXT_MAX = 500  # of what was answered by a provider, mail server or endpoint, or a job met
TEND_BATCH_MAX = 256

# Notices.
NOTICE_KEY_TEXT_MAX = 200
NOTICE_FACT_TEXT_MAX = 240
NOTICE_SUBJECT_TEXT_MAX = 180
RECIPIENTS_MAX = 100
ENDPOINTS_MAX = 20
EMAIL_TEXT_MAX = 254
EMAIL_NAME_TEXT_MAX = 64  # before the @
WEBHOOK_URL_TEXT_MAX = 2_000
SPREAD_BATCH_MAX = 256
DELIVERIES_TAKEN_MAX = 64
DELIVERIES_LOOKED_AT_MAX = 20_000
DELIVERIES_OF_EACH_MAX = 4
DIGEST_NOTICES_MAX = 10_000
WEBHOOK_ANSWER_BYTES_MAX = 64 * 1024
WEBHOOK_ANSWER_KEPT_TEXT_MAX = 1_000
TEST_NOTICE_EVERY_MS = 60_000  # so often a test may be sent to one address or endpoint
PAYMENT_EVENT_BODY_BYTES_MAX = 64 * 1024
PAYMENT_EVENT_HEADERS_TEXT_MAX = 4_096
PAYMENT_EVENTS_WAITING_MAX = 5_000  # with their bodies, at most 340 MB
PAYMENT_EVENT_TRIES_MAX = 40
CARD_SETUPS_OPEN_MAX = 20  # being added at once in an organisation
CARD_SETUP_MS_MAX = 24 * 3_600_000  # from its beginning until the card is there
CARD_CONFIRM_MS_MAX = 24 * 3_600_000  # a cardholder may take; then the charge is given up
RETURN_URL_TEXT_MAX = 500
