-- +goose Up

-- Facts of assertions that SQLite writes many at a time: see store/fact_run.go. A row holds those that follow its digest in its run.
create table fact_run (
    run        bigint not null,
    digest     bytea  not null,
    expires_at bigint not null, -- of the fact that lasts longest
    facts      bytea  not null,
    primary key (run, digest)
) /* in the order of its key */;
