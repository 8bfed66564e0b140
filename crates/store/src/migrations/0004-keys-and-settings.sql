-- What was answered to a request, so that the same request again is answered the same.
CREATE TABLE idempotency_keys (
    holder {text} NOT NULL,
    key {text} NOT NULL,
    organisation {text} REFERENCES organisations (id) ON DELETE CASCADE,
    person {text} REFERENCES users (id) ON DELETE CASCADE,
    request {text} NOT NULL,
    claim {text} NOT NULL,
    begun_at BIGINT NOT NULL,
    status BIGINT,
    body {blob},
    PRIMARY KEY (holder, key),
    CHECK ((organisation IS NULL) <> (person IS NULL))
) {compact};
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (begun_at);
CREATE INDEX idempotency_keys_by_organisation ON idempotency_keys (organisation);
CREATE INDEX idempotency_keys_by_person ON idempotency_keys (person);

CREATE TABLE settings (
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    key {text} NOT NULL,
    value {text} NOT NULL,
    PRIMARY KEY (organisation, key)
) {compact};
