-- Runs on PostgreSQL, and on SQLite with the words of migrations.SQLite. Times are Unix milliseconds, UTC; 0 is never. Text ids are made in Go.
-- Indexes are the cost of a write, so each one names the question it answers.

-- +goose Up

-- One row per ingest key that delivered something.
create table source (
    id               text   primary key,
    records          bigint not null,
    duplicates       bigint not null,
    last_received_at bigint not null,
    token_apart_at   bigint not null default 0 -- when it last delivered a decoded token apart from its response
);

-- One row per record ever taken: store.Delivery's digest, which begins with the time of the event, so that new rows lie
-- beside each other and old ones can be forgotten by it.
create table delivery (
    digest  bytea primary key,
    content bytea not null -- two bytes of store.Delivery's Content
) /* in the order of its key */;

-- Numbers from 0, by which a statement takes apart what it was given in one piece.
create table number (
    i integer primary key
);
insert into number (i) with recursive n(i) as (select 0 union all select i + 1 from n where i < 4095) select i from n;

-- One episode of failures of one provider, environment, client and cause.
create table incident (
    id               bigint primary key,
    provider         text   not null,
    environment      text   not null,
    client_id        text   not null,
    cause            text   not null,
    state            text   not null,
    confidence       text   not null,
    fault            text   not null,
    summary          text   not null,
    count            bigint not null,
    first_seen_at    bigint not null,
    last_seen_at     bigint not null,
    last_success_at  bigint not null,
    first_success_at bigint not null,
    silenced_until   bigint not null,
    resolved_at      bigint not null,
    state_changed_by text   not null,
    assignee         text   not null default '',
    regression_of    bigint not null,
    updated_at       bigint not null,
    version          bigint not null
);
-- At most one episode of them is not resolved.
create unique index incident_active on incident (provider, environment, client_id, cause) where state <> 'resolved';
-- The episode that a late failure joins, and the incidents of a client.
create index incident_episode on incident (provider, environment, client_id, cause, resolved_at);
-- The lists by state and of all, newest first.
create index incident_state on incident (state, last_seen_at, id);
create index incident_last_seen on incident (last_seen_at, id);
-- Later episodes of one that disappears.
create index incident_regression on incident (regression_of) where regression_of <> 0;

create table incident_endpoint (
    incident_id bigint not null,
    endpoint    text   not null,
    count       bigint not null,
    primary key (incident_id, endpoint)
) /* in the order of its key */;

-- Provider, environment, cause and client of a failure are its incident's. The id begins with the time of the event, so
-- the table itself is the list of all, newest first. endpoint is a digest of the text, which the body holds with all the rest.
create table failure (
    id          bigint primary key,
    incident_id bigint not null,
    endpoint    bigint not null,
    status      bigint not null,
    body        bytea  not null
);
-- The list of one incident, and its first and last failure when one is withdrawn. It is written with the incident's count:
-- an index would be changed with every failure, a page for nearly each.
create table incident_failure (
    incident_id bigint not null,
    id          bigint not null,
    primary key (incident_id, id)
) /* in the order of its key */;

-- Failures by request and trace, for the late join of a token and for search: see store/request.go.
create table failure_request (
    slice bigint not null,
    entry bytea  not null,
    primary key (slice, entry)
) /* in the order of its key */;
-- What a write left of it to be filed with that of others.
create table failure_request_new (
    id      bigint primary key,
    slice   bigint not null,
    entries bytea  not null
);

-- What the bodies of failures have in common: see store/template.go. text is compressed; used_on numbers a day.
create table template (
    id      bigint primary key,
    print   bytea  not null unique,
    text    bytea  not null,
    used_on bigint not null
);

-- What one transaction counted, until a fold adds it to the rollups.
create table tally (
    id     bigint primary key,
    counts bytea  not null
);

-- A fold counts itself here, so that of two at one time one gives way.
create table fold (
    id           bigint primary key,
    generation   bigint not null,
    minutes_from bigint not null -- before this time minutes are not told apart any more
);
insert into fold (id, generation, minutes_from) values (1, 0, 0);

-- What is counted together. grain says which of the columns it tells apart; the others are ''. cause is '' for accepted traffic.
create table series (
    id          bigint primary key,
    grain       text   not null,
    provider    text   not null,
    environment text   not null,
    cause       text   not null,
    client_id   text   not null,
    endpoint    text   not null
);
-- The series of a client; and of a grain, among which those of a place are few.
create unique index series_name on series (grain, client_id, provider, environment, cause, endpoint);

-- Counts of minutes in rows of an hour, of hours in rows of a day, of days in rows of 32 days (span, in milliseconds).
-- What is counted now lies together, so that a fold changes few pages.
create table rollup (
    span      bigint not null,
    start     bigint not null,
    series_id bigint not null,
    counts    bytea  not null,
    primary key (span, start, series_id)
) /* in the order of its key */;

-- What commits have added to incidents and clients and not written to their rows yet: see store/backlog.go.
create table backlog (
    id    bigint primary key,
    owner bigint not null,
    body  bytea  not null
);

-- What was committed, in the order in which it was: up to so many events a row, kept for a day. See store/feed.go.
create table feed (
    seq          bigint primary key, -- from 1, without gaps
    committed_at bigint not null,
    body         bytea  not null
);

create table client (
    ref              bigint primary key,
    provider         text   not null,
    environment      text   not null,
    client_id        text   not null,
    failures         bigint not null,
    successes        bigint not null,
    first_failure_at bigint not null,
    last_failure_at  bigint not null,
    first_success_at bigint not null,
    last_success_at  bigint not null,
    last_seen_at     bigint not null
);
create unique index client_name on client (provider, environment, client_id);
-- The list of clients, latest activity first.
create index client_last_seen on client (last_seen_at, provider, environment, client_id);

-- When a client was accepted, to the minute with the first and the last in it: the successes around an incident. A row holds
-- the minutes of an hour; see store/success.go.
create table success (
    client_ref bigint not null references client (ref),
    hour       bigint not null,
    minutes    bytea  not null,
    primary key (client_ref, hour)
) /* in the order of its key */;

-- What history remembers (classify.Fact), under a digest of its key.
create table fact (
    digest            bytea  primary key,
    first_seen_at     bigint not null,
    last_seen_at      bigint not null,
    first_accepted_at bigint not null,
    last_accepted_at  bigint not null,
    first_exchange    text   not null,
    first_token_print text   not null,
    max_offset        bigint not null, -- nanoseconds
    count             bigint not null,
    expires_at        bigint not null
) /* in the order of its key */;

-- What the traffic of a client was seen to hold, and who accepted it: store.Sighting, under a digest of its name.
create table sighting (
    digest            bytea  primary key,
    provider          text   not null,
    environment       text   not null,
    client_id         text   not null,
    kind              text   not null,
    owner             text   not null,
    host              text   not null,
    value             text   not null,
    first_seen_at     bigint not null,
    last_seen_at      bigint not null,
    first_accepted_at bigint not null,
    last_accepted_at  bigint not null,
    first_rejected_at bigint not null,
    last_rejected_at  bigint not null,
    accepted          bigint not null,
    rejected          bigint not null,
    other             bigint not null
) /* in the order of its key */;
-- All of a client, the keys of everybody, and what was new at a time.
create index sighting_client on sighting (client_id, kind, provider, environment);
create index sighting_kind on sighting (kind, provider, environment);
create index sighting_first on sighting (first_seen_at, digest);

-- Halves of joins that wait for the other, under digests of side and id: of a request, of a trace, or of both.
create table pending (
    join_key    bigint, -- of the request; null for none
    other_key   bigint, -- of the trace
    side        text   not null,
    kind        text   not null,
    occurred_at bigint not null,
    body        text   not null,
    expires_at  bigint not null
);
create index pending_join on pending (join_key) where join_key is not null;
create index pending_other on pending (other_key) where other_key is not null;
-- Whether any token waits.
create index pending_token on pending (expires_at) where side = 'token';
create index pending_expiry on pending (expires_at);

-- What each ingest key delivered, by minute of receipt: its rate, how late its records are, its gaps. The key '' stands
-- for requests without a valid one. lag_N counts accepted records by the time from event to receipt, in the classes of
-- store.LagClasses; times are milliseconds.
create table source_minute (
    source     text   not null,
    minute     bigint not null,
    last_at    bigint not null,
    accepted   bigint not null,
    duplicates bigint not null,
    other      bigint not null, -- records that are no HTTP exchange
    rejected   bigint not null,
    refused    bigint not null, -- whole requests
    gathered   bigint not null, -- accepted failures of more new clients than may have incidents
    altered    bigint not null, -- of the duplicates, those that say something else than the first
    lag_max    bigint not null,
    lag_0      bigint not null,
    lag_1      bigint not null,
    lag_2      bigint not null,
    lag_3      bigint not null,
    lag_4      bigint not null,
    lag_5      bigint not null,
    lag_6      bigint not null,
    lag_7      bigint not null,
    lag_8      bigint not null,
    primary key (source, minute)
);

-- Why records and whole requests were not taken, by minute of receipt.
create table source_reject (
    source text   not null,
    minute bigint not null,
    code   text   not null,
    count  bigint not null,
    primary key (source, minute, code)
);

-- Rejected records, redacted; one that came again has the same id. body is '' when the record could not be redacted safely.
create table reject (
    source       text   not null,
    id           text   not null,
    first_at     bigint not null,
    last_at      bigint not null,
    count        bigint not null,
    route        text   not null,
    code         text   not null,
    pointer      text   not null,
    detail       text   not null,
    bytes        bigint not null, -- of the record as it came; 0: not known
    delivery_key text   not null,
    body         text   not null,
    kept         bigint not null, -- bytes of body
    primary key (source, id)
);
-- The list of a source, newest first, and what it holds.
create index reject_source on reject (source, last_at, id, kept);
-- The oldest of all, and what all hold.
create index reject_age on reject (last_at, source, id, kept);

-- Answers to requests with an Idempotency-Key.
create table idempotency (
    source     text   not null,
    name       text   not null,
    body_print text   not null, -- keyed digest of the body
    answer     text   not null,
    expires_at bigint not null,
    primary key (source, name)
);
create index idempotency_expiry on idempotency (expires_at);
create index idempotency_source on idempotency (source, expires_at);

-- What people, and authwatch itself, did with an incident.
create table activity (
    id          text   primary key,
    incident_id bigint not null references incident (id) on delete cascade,
    done_at     bigint not null,
    kind        text   not null,
    done_by     text   not null,
    was         text   not null,
    became      text   not null,
    note        text   not null
);
create index activity_incident on activity (incident_id, id);

-- Who did what to what others rely on: store.AuditEntry. The ids grow with time, so the table itself is the list.
create table audit (
    id      text   primary key,
    done_at bigint not null,
    done_by text   not null,
    via     text   not null,
    action  text   not null,
    subject text   not null,
    note    text   not null
);

-- A change that somebody told us of: what may explain failures that begin after it.
create table deployment (
    id          text   primary key,
    occurred_at bigint not null,
    kind        text   not null,
    title       text   not null,
    provider    text   not null,
    environment text   not null,
    service     text   not null,
    client_id   text   not null,
    url         text   not null,
    told_by     text   not null,
    told_at     bigint not null,
    reference   text   not null
);
-- Telling twice changes nothing.
create unique index deployment_reference on deployment (reference);
-- The list, latest first, and what happened before an onset.
create index deployment_time on deployment (occurred_at, id);

-- What people want to be told of: store.AlertRule. terms is JSON.
create table alert_rule (
    id         text    primary key,
    name       text    not null,
    enabled    boolean not null,
    terms      text    not null,
    created_by text    not null,
    created_at bigint  not null,
    updated_by text    not null,
    updated_at bigint  not null,
    version    bigint  not null
);

-- What nobody is to be told of for a while: store.AlertSilence. matched is JSON.
create table alert_silence (
    id         text   primary key,
    matched    text   not null,
    author     text   not null,
    reason     text   not null,
    begins_at  bigint not null,
    ends_at    bigint not null
);
create index alert_silence_end on alert_silence (ends_at);

-- Pages with filters that somebody gave a name. owner is '' for everybody's.
create table saved_view (
    id         text   primary key,
    page       text   not null,
    name       text   not null,
    query      text   not null,
    owner      text   not null,
    created_by text   not null,
    created_at bigint not null
);
-- The views of a user, and saving again under a name.
create unique index saved_view_name on saved_view (owner, page, name);

-- What a rule found; subject tells what it found apart. ended_at 0: it goes on.
create table alert (
    id       text    primary key,
    rule_id  text    not null,
    subject  text    not null,
    once     boolean not null,
    fired_at bigint  not null,
    ended_at bigint  not null,
    ended_by text    not null,
    message  text    not null
);
-- Of replicas that find the same, one fires; what is found once never again.
create unique index alert_firing on alert (rule_id, subject) where ended_at = 0;
create unique index alert_once on alert (rule_id, subject) where once;

-- The incidents that an alert is about: it is over when they are.
create table alert_incident (
    alert_id    text   not null references alert (id) on delete cascade,
    incident_id bigint not null,
    primary key (alert_id, incident_id)
);

-- What was sent to a receiver, or waits to be. alert_id is '' for a test.
create table alert_delivery (
    id            text   primary key,
    alert_id      text   not null,
    rule_name     text   not null,
    receiver      text   not null,
    kind          text   not null,
    status        text   not null,
    attempts      bigint not null,
    last_error    text   not null,
    created_at    bigint not null,
    next_at       bigint not null,
    claimed_until bigint not null,
    done_at       bigint not null
);
-- What is due; and the deliveries of an alert.
create index alert_delivery_due on alert_delivery (next_at) where status = 'waiting';
create index alert_delivery_alert on alert_delivery (alert_id, receiver);

create table api_key (
    id           text   primary key,
    name         text   not null,
    scope        text   not null,
    secret_hash  text   not null,
    created_at   bigint not null,
    last_used_at bigint not null,
    revoked_at   bigint not null,
    rate         bigint not null  -- records a second; 0: no bound of its own
);

create table account (
    id         text   primary key,
    name       text   not null unique,
    role       text   not null,
    created_at bigint not null
);

create table sign_in (
    token_hash text   primary key,
    account_id text   not null references account (id),
    expires_at bigint not null
);

create table session (
    cookie_hash text   primary key,
    account_id  text   not null references account (id),
    created_at  bigint not null,
    expires_at  bigint not null
);

-- Written by Ready to learn whether the database can be.
create table probe (
    id         bigint primary key,
    checked_at bigint not null
);
