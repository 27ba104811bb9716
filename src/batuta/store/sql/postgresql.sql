-- put_runs[id, job, kind, plan_hash, location, state, params, tags, config, trigger, logical_at, interval_start, interval_end, partition, parent_run, parent_task, priority, seed, created_at, started_at, finished_at, error, epoch, owner, lease_until, seq, version, origin, concurrency_key, deadline_at, backfill_id]
INSERT INTO runs (id, job, kind, plan_hash, location, state, params, tags, config, trigger, logical_at, interval_start, interval_end, partition, parent_run, parent_task, priority, seed, created_at, started_at, finished_at, error, epoch, owner, lease_until, seq, version, origin, concurrency_key, deadline_at, backfill_id) SELECT r.id, r.job, r.kind, r.plan_hash, r.location, r.state, r.params, r.tags, r.config, r.trigger, r.logical_at, r.interval_start, r.interval_end, r.partition, r.parent_run, r.parent_task, r.priority, r.seed, r.created_at, r.started_at, r.finished_at, r.error, r.epoch, r.owner, r.lease_until, r.seq, r.version, r.origin, r.concurrency_key, r.deadline_at, r.backfill_id
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(id BIGINT, job TEXT, kind TEXT, plan_hash TEXT, location TEXT, state TEXT, params TEXT, tags TEXT, config TEXT, trigger TEXT, logical_at DOUBLE PRECISION, interval_start DOUBLE PRECISION, interval_end DOUBLE PRECISION, partition TEXT, parent_run BIGINT, parent_task INTEGER, priority INTEGER, seed BIGINT, created_at DOUBLE PRECISION, started_at DOUBLE PRECISION, finished_at DOUBLE PRECISION, error TEXT, epoch INTEGER, owner TEXT, lease_until DOUBLE PRECISION, seq INTEGER, version TEXT, origin TEXT, concurrency_key TEXT, deadline_at DOUBLE PRECISION, backfill_id BIGINT);

-- put_run_tags[key, value, run_id]
INSERT INTO run_tags (key, value, run_id) SELECT r.key, r.value, r.run_id
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(key TEXT, value TEXT, run_id BIGINT);

-- put_events[run_id, seq, kind, at, task, data]
INSERT INTO events (run_id, seq, kind, at, task, data) SELECT r.run_id, r.seq, r.kind, r.at, r.task, r.data
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(run_id BIGINT, seq INTEGER, kind TEXT, at DOUBLE PRECISION, task INTEGER, data TEXT);

-- put_task_runs[run_id, no, step, task, kind, map_index, label, state, attempt, started_at, finished_at, worker, reason, error, output, logged]
INSERT INTO task_runs (run_id, no, step, task, kind, map_index, label, state, attempt, started_at, finished_at, worker, reason, error, output, logged) SELECT r.run_id, r.no, r.step, r.task, r.kind, r.map_index, r.label, r.state, r.attempt, r.started_at, r.finished_at, r.worker, r.reason, r.error, r.output, r.logged
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(run_id BIGINT, no INTEGER, step TEXT, task TEXT, kind TEXT, map_index INTEGER, label TEXT, state TEXT, attempt INTEGER, started_at DOUBLE PRECISION, finished_at DOUBLE PRECISION, worker TEXT, reason TEXT, error TEXT, output TEXT, logged BOOLEAN) ON CONFLICT (run_id, no) DO UPDATE SET step = excluded.step, task = excluded.task, kind = excluded.kind, map_index = excluded.map_index, label = excluded.label, state = excluded.state, attempt = excluded.attempt, started_at = excluded.started_at, finished_at = excluded.finished_at, worker = excluded.worker, reason = excluded.reason, error = excluded.error, output = excluded.output, logged = excluded.logged;

-- put_materializations[asset, partition, run_id, task, at, data_version, code_version, inputs, metadata]
INSERT INTO materializations (asset, partition, run_id, task, at, data_version, code_version, inputs, metadata) SELECT r.asset, r.partition, r.run_id, r.task, r.at, r.data_version, r.code_version, r.inputs, r.metadata
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(asset TEXT, partition TEXT, run_id BIGINT, task INTEGER, at DOUBLE PRECISION, data_version TEXT, code_version TEXT, inputs TEXT, metadata TEXT);

-- put_asset_partitions[asset, partition, run_id, task, at, data_version, code_version, inputs, metadata]
INSERT INTO asset_partitions (asset, partition, run_id, task, at, data_version, code_version, inputs, metadata) SELECT r.asset, r.partition, r.run_id, r.task, r.at, r.data_version, r.code_version, r.inputs, r.metadata
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(asset TEXT, partition TEXT, run_id BIGINT, task INTEGER, at DOUBLE PRECISION, data_version TEXT, code_version TEXT, inputs TEXT, metadata TEXT) ON CONFLICT (asset, partition) DO UPDATE SET run_id = excluded.run_id, task = excluded.task, at = excluded.at, data_version = excluded.data_version, code_version = excluded.code_version, inputs = excluded.inputs, metadata = excluded.metadata;

-- put_check_results[asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome]
INSERT INTO check_results (asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome) SELECT r.asset, r.check_name, r.partition, r.run_id, r.task, r.at, r.passed, r.blocking, r.description, r.metadata, r.outcome
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(asset TEXT, check_name TEXT, partition TEXT, run_id BIGINT, task INTEGER, at DOUBLE PRECISION, passed BOOLEAN, blocking BOOLEAN, description TEXT, metadata TEXT, outcome TEXT);

-- put_checks_current[asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome]
INSERT INTO checks_current (asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome) SELECT r.asset, r.check_name, r.partition, r.run_id, r.task, r.at, r.passed, r.blocking, r.description, r.metadata, r.outcome
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(asset TEXT, check_name TEXT, partition TEXT, run_id BIGINT, task INTEGER, at DOUBLE PRECISION, passed BOOLEAN, blocking BOOLEAN, description TEXT, metadata TEXT, outcome TEXT) ON CONFLICT (asset, check_name, partition) DO UPDATE SET run_id = excluded.run_id, task = excluded.task, at = excluded.at, passed = excluded.passed, blocking = excluded.blocking, description = excluded.description, metadata = excluded.metadata, outcome = excluded.outcome;

-- put_cache[key, output, run_id, created_at, expires_at]
INSERT INTO task_cache (key, output, run_id, created_at, expires_at) SELECT r.key, r.output, r.run_id, r.created_at, r.expires_at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(key TEXT, output TEXT, run_id BIGINT, created_at DOUBLE PRECISION, expires_at DOUBLE PRECISION) ON CONFLICT (key) DO UPDATE SET output = excluded.output, run_id = excluded.run_id, created_at = excluded.created_at, expires_at = excluded.expires_at;

-- update_runs[state, started_at, finished_at, error, seq, key_id, key_epoch]
WITH given AS
(SELECT r.state AS state, r.started_at AS started_at, r.finished_at AS finished_at, r.error AS error, r.seq AS seq, r.key_id AS key_id, r.key_epoch AS key_epoch
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(state TEXT, started_at DOUBLE PRECISION, finished_at DOUBLE PRECISION, error TEXT, seq INTEGER, key_id BIGINT, key_epoch INTEGER)),
touched AS
(UPDATE runs SET state=given.state, started_at=given.started_at, finished_at=given.finished_at, error=given.error, seq=given.seq FROM given WHERE runs.id = given.key_id AND runs.epoch = given.key_epoch RETURNING runs.id)
 SELECT 1 / CAST(CASE WHEN ((SELECT count(*) AS count_1
FROM touched) = (SELECT count(*) AS count_2
FROM given)) THEN 1 ELSE 0 END AS NUMERIC) AS anon_1;

-- epochs(ids)
SELECT runs.id, runs.epoch
FROM runs
WHERE runs.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- lock_events()
SELECT pg_advisory_xact_lock(7089350519837) AS pg_advisory_xact_lock_1;

-- put_plan(hash, data)
INSERT INTO plans (hash, data) VALUES (%s::VARCHAR, %s) ON CONFLICT DO NOTHING;

-- known_plans(hashes)
SELECT plans.hash
FROM plans
WHERE plans.hash IN (SELECT CAST(each_hashes.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_hashes) FOR KEY SHARE;

-- reserve_run_ids(count)
SELECT nextval(pg_get_serial_sequence('runs', 'id')) AS nextval_1
FROM generate_series(1, %s::INTEGER);

-- claim_run(new_owner, until, run_id, now, new_owner, force)
UPDATE runs SET epoch=(runs.epoch + 1), owner=%s::VARCHAR, lease_until=%s WHERE runs.id = %s::BIGINT AND (runs.lease_until <= %s OR runs.owner = %s::VARCHAR OR runs.state IN ('succeeded', 'failed', 'cancelled') OR %s::INTEGER = 1);

-- renew_runs(until, by, ids)
UPDATE runs SET lease_until=%s WHERE runs.owner = %s::VARCHAR AND runs.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- owned_runs(by, ids)
SELECT runs.id
FROM runs
WHERE runs.owner = %s::VARCHAR AND runs.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- release_runs(by, ids)
UPDATE runs SET owner='', lease_until=0 WHERE runs.owner = %s::VARCHAR AND runs.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- put_run_requests[run_id, kind, data, by, at]
INSERT INTO run_requests (run_id, kind, data, by, at) SELECT r.run_id, r.kind, r.data, r.by, r.at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(run_id BIGINT, kind TEXT, data TEXT, by TEXT, at DOUBLE PRECISION);

-- requests_to(ids)
SELECT run_requests.id, run_requests.run_id, run_requests.kind, run_requests.data, run_requests.by, run_requests.at
FROM run_requests
WHERE run_requests.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) ORDER BY run_requests.id;

-- requests_to_idle(now)
SELECT run_requests.id, run_requests.run_id, run_requests.kind, run_requests.data, run_requests.by, run_requests.at
FROM run_requests JOIN runs ON runs.id = run_requests.run_id
WHERE runs.state IN ('succeeded', 'failed', 'cancelled') OR runs.owner = '' OR runs.lease_until <= %s ORDER BY run_requests.id;

-- delete_requests(ids)
DELETE FROM run_requests WHERE run_requests.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- run(run_id)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id = %s::BIGINT;

-- runs_newest(before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id < %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.kind = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.trigger = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::INTEGER IS NULL OR runs.parent_task = %s::INTEGER) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- runs_of_job(job, before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.job = %s::VARCHAR AND runs.id < %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.kind = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.trigger = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::INTEGER IS NULL OR runs.parent_task = %s::INTEGER) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- runs_in_state(state, before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.state = %s::VARCHAR AND runs.id < %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.kind = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.trigger = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::INTEGER IS NULL OR runs.parent_task = %s::INTEGER) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- runs_of_parent(parent_run, before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.parent_run = %s::BIGINT AND runs.id < %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.kind = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.trigger = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::INTEGER IS NULL OR runs.parent_task = %s::INTEGER) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- runs_tagged(tag_key, tag_value, before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT run_tags.run_id
FROM run_tags
WHERE run_tags.key = %s::VARCHAR AND run_tags.value = %s::VARCHAR) AND runs.id < %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.kind = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.trigger = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::INTEGER IS NULL OR runs.parent_task = %s::INTEGER) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- last_run_id()
SELECT coalesce(max(runs.id), 0) AS coalesce_1
FROM runs;

-- latest_runs(jobs, jobs)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT max(runs.id) AS max_1
FROM runs
WHERE %s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs) GROUP BY runs.job) ORDER BY runs.job;

-- run_counts(jobs, jobs)
SELECT runs.job, runs.state, count(*) AS count_1
FROM runs
WHERE %s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs) GROUP BY runs.job, runs.state;

-- resumable_runs(now)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND runs.lease_until <= %s ORDER BY runs.id;

-- unfinished_children(run_id)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.parent_run = %s::BIGINT AND runs.state IN ('queued', 'running', 'paused', 'cancelling') ORDER BY runs.id;

-- plan(hash)
SELECT plans.data
FROM plans
WHERE plans.hash = %s::VARCHAR;

-- events_of_run(run_id, after_seq, limit)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.run_id = %s::BIGINT AND events.seq > %s::INTEGER ORDER BY events.seq
 LIMIT %s::BIGINT OFFSET 0;

-- events_since(after_id, limit)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.id > %s::BIGINT ORDER BY events.id
 LIMIT %s::BIGINT OFFSET 0;

-- last_event_id()
SELECT coalesce(max(events.id), 0) AS coalesce_1
FROM events;

-- task_runs_of_run(run_id, after_no, states, states, step, step, limit)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = %s::BIGINT AND task_runs.no > %s::INTEGER AND (%s::VARCHAR IS NULL OR task_runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR task_runs.step = %s::VARCHAR) ORDER BY task_runs.no
 LIMIT %s::BIGINT OFFSET 0;

-- task_runs_noteworthy(state, before_run, limit)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE state IN ('running', 'retrying', 'deferred', 'paused', 'failed') AND task_runs.state = %s::VARCHAR AND task_runs.run_id < %s::BIGINT ORDER BY task_runs.run_id DESC, task_runs.no
 LIMIT %s::BIGINT OFFSET 0;

-- task_run_by_no(run_id, no)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = %s::BIGINT AND task_runs.no = %s::INTEGER;

-- task_run_by_key(run_id, key, base, map_index, label)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = %s::BIGINT AND (task_runs.step = %s::VARCHAR OR task_runs.step = %s::VARCHAR AND (task_runs.map_index = %s::INTEGER OR task_runs.label = %s::VARCHAR)) ORDER BY task_runs.no
 LIMIT 1 OFFSET 0;

-- task_counts(ids)
SELECT task_runs.run_id, task_runs.state, count(*) AS count_1
FROM task_runs
WHERE task_runs.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) GROUP BY task_runs.run_id, task_runs.state;

-- cached(key, now)
SELECT task_cache.key, task_cache.output, task_cache.run_id, task_cache.created_at, task_cache.expires_at
FROM task_cache
WHERE task_cache.key = %s::VARCHAR AND (task_cache.expires_at IS NULL OR task_cache.expires_at > %s);

-- forget_cached(key)
DELETE FROM task_cache WHERE task_cache.key = %s::VARCHAR;

-- asset_states()
SELECT asset_partitions.asset, asset_partitions.partition, asset_partitions.run_id, asset_partitions.task, asset_partitions.at, asset_partitions.data_version, asset_partitions.code_version, asset_partitions.inputs, asset_partitions.metadata, 0
FROM asset_partitions;

-- asset_states_of(assets)
SELECT asset_partitions.asset, asset_partitions.partition, asset_partitions.run_id, asset_partitions.task, asset_partitions.at, asset_partitions.data_version, asset_partitions.code_version, asset_partitions.inputs, asset_partitions.metadata, 0
FROM asset_partitions
WHERE asset_partitions.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets);

-- current_checks()
SELECT checks_current.asset, checks_current.check_name, checks_current.partition, checks_current.run_id, checks_current.task, checks_current.at, checks_current.passed, checks_current.blocking, checks_current.description, checks_current.metadata, checks_current.outcome, 0
FROM checks_current;

-- current_checks_of(assets)
SELECT checks_current.asset, checks_current.check_name, checks_current.partition, checks_current.run_id, checks_current.task, checks_current.at, checks_current.passed, checks_current.blocking, checks_current.description, checks_current.metadata, checks_current.outcome, 0
FROM checks_current
WHERE checks_current.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets);

-- materializations_of_asset(asset, before, limit)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.asset = %s::VARCHAR AND materializations.id < %s::BIGINT ORDER BY materializations.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- materializations_of_partition(asset, partition, before, limit)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.asset = %s::VARCHAR AND materializations.partition = %s::VARCHAR AND materializations.id < %s::BIGINT ORDER BY materializations.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- materializations_of_run(run_id)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.run_id = %s::BIGINT ORDER BY materializations.id;

-- check_results_of_asset(asset, check, check, partition, partition, before, limit)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE check_results.asset = %s::VARCHAR AND (%s::VARCHAR IS NULL OR check_results.check_name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR check_results.partition = %s::VARCHAR) AND check_results.id < %s::BIGINT ORDER BY check_results.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- check_results_of_run(run_id)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE check_results.run_id = %s::BIGINT ORDER BY check_results.id;

-- put_run_keys[scope, key, run_id, at]
INSERT INTO run_keys (scope, key, run_id, at) SELECT r.scope, r.key, r.run_id, r.at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(scope TEXT, key TEXT, run_id BIGINT, at DOUBLE PRECISION);

-- keys_taken(scope, keys)
SELECT run_keys.key, run_keys.run_id
FROM run_keys
WHERE run_keys.scope = %s::VARCHAR AND run_keys.key IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys);

-- delete_run_keys(cutoff, limit)
DELETE FROM run_keys WHERE (run_keys.scope, run_keys.key) IN (SELECT run_keys.scope, run_keys.key
FROM run_keys
WHERE run_keys.at < %s ORDER BY run_keys.at
 LIMIT %s::BIGINT OFFSET 0);

-- put_ticks[kind, location, name, at, ended_at, logical_at, outcome, reason, runs, cursor, data]
INSERT INTO ticks (kind, location, name, at, ended_at, logical_at, outcome, reason, runs, cursor, data) SELECT r.kind, r.location, r.name, r.at, r.ended_at, r.logical_at, r.outcome, r.reason, r.runs, r.cursor, r.data
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(kind TEXT, location TEXT, name TEXT, at DOUBLE PRECISION, ended_at DOUBLE PRECISION, logical_at DOUBLE PRECISION, outcome TEXT, reason TEXT, runs TEXT, cursor TEXT, data TEXT);

-- put_tickers[kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at]
INSERT INTO tickers (kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at) SELECT r.kind, r.location, r.name, r.enabled, r.cursor, r.state, r.failures, r.next_at, r.ticked_at, r.changed_at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(kind TEXT, location TEXT, name TEXT, enabled BOOLEAN, cursor TEXT, state TEXT, failures INTEGER, next_at DOUBLE PRECISION, ticked_at DOUBLE PRECISION, changed_at DOUBLE PRECISION) ON CONFLICT (kind, location, name) DO UPDATE SET cursor = excluded.cursor, state = excluded.state, failures = excluded.failures, next_at = excluded.next_at, ticked_at = excluded.ticked_at;

-- put_switches[kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at]
INSERT INTO tickers (kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at) SELECT r.kind, r.location, r.name, r.enabled, r.cursor, r.state, r.failures, r.next_at, r.ticked_at, r.changed_at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(kind TEXT, location TEXT, name TEXT, enabled BOOLEAN, cursor TEXT, state TEXT, failures INTEGER, next_at DOUBLE PRECISION, ticked_at DOUBLE PRECISION, changed_at DOUBLE PRECISION) ON CONFLICT (kind, location, name) DO UPDATE SET enabled = excluded.enabled, changed_at = excluded.changed_at;

-- set_ticker_cursor(new_cursor, at, of_kind, of_location, of_name)
UPDATE tickers SET cursor=%s::VARCHAR, state='', failures=0, next_at=NULL, changed_at=%s WHERE tickers.kind = %s::VARCHAR AND tickers.location = %s::VARCHAR AND tickers.name = %s::VARCHAR;

-- all_tickers(kind, kind, location, location)
SELECT tickers.kind, tickers.location, tickers.name, tickers.enabled, tickers.cursor, tickers.state, tickers.failures, tickers.next_at, tickers.ticked_at, tickers.changed_at
FROM tickers
WHERE (%s::VARCHAR IS NULL OR tickers.kind = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR tickers.location = %s::VARCHAR) ORDER BY tickers.kind, tickers.location, tickers.name;

-- tickers_switched(of_kind)
SELECT tickers.location, tickers.name, tickers.enabled, tickers.changed_at
FROM tickers
WHERE tickers.kind = %s::VARCHAR AND tickers.changed_at > 0;

-- delete_ticker(kind, location, name)
DELETE FROM tickers WHERE tickers.kind = %s::VARCHAR AND tickers.location = %s::VARCHAR AND tickers.name = %s::VARCHAR;

-- last_number_of_ticks()
SELECT coalesce(max(ticks.id), 0) AS coalesce_1
FROM ticks;

-- tick_list(kinds, kinds, locations, locations, name, name, outcomes, outcomes, text, text, text, after, before, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE (%s::VARCHAR IS NULL OR ticks.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR ticks.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR ticks.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR ticks.outcome IN (SELECT CAST(each_outcomes.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_outcomes)) AND (%s::VARCHAR IS NULL OR lower(ticks.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(ticks.reason) LIKE %s::VARCHAR ESCAPE '\') AND ticks.id > %s::BIGINT AND ticks.id < %s::BIGINT ORDER BY ticks.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- tick_list_oldest_first(kinds, kinds, locations, locations, name, name, outcomes, outcomes, text, text, text, after, before, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE (%s::VARCHAR IS NULL OR ticks.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR ticks.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR ticks.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR ticks.outcome IN (SELECT CAST(each_outcomes.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_outcomes)) AND (%s::VARCHAR IS NULL OR lower(ticks.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(ticks.reason) LIKE %s::VARCHAR ESCAPE '\') AND ticks.id > %s::BIGINT AND ticks.id < %s::BIGINT ORDER BY ticks.id
 LIMIT %s::BIGINT OFFSET 0;

-- tick_list_of_one(of_kind, of_location, of_name, kinds, kinds, locations, locations, name, name, outcomes, outcomes, text, text, text, after, before, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE ticks.kind = %s::VARCHAR AND ticks.location = %s::VARCHAR AND ticks.name = %s::VARCHAR AND (%s::VARCHAR IS NULL OR ticks.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR ticks.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR ticks.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR ticks.outcome IN (SELECT CAST(each_outcomes.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_outcomes)) AND (%s::VARCHAR IS NULL OR lower(ticks.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(ticks.reason) LIKE %s::VARCHAR ESCAPE '\') AND ticks.id > %s::BIGINT AND ticks.id < %s::BIGINT ORDER BY ticks.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- tick_list_of_one_oldest_first(of_kind, of_location, of_name, kinds, kinds, locations, locations, name, name, outcomes, outcomes, text, text, text, after, before, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE ticks.kind = %s::VARCHAR AND ticks.location = %s::VARCHAR AND ticks.name = %s::VARCHAR AND (%s::VARCHAR IS NULL OR ticks.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR ticks.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR ticks.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR ticks.outcome IN (SELECT CAST(each_outcomes.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_outcomes)) AND (%s::VARCHAR IS NULL OR lower(ticks.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(ticks.reason) LIKE %s::VARCHAR ESCAPE '\') AND ticks.id > %s::BIGINT AND ticks.id < %s::BIGINT ORDER BY ticks.id
 LIMIT %s::BIGINT OFFSET 0;

-- queued_runs(each_max, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT placed.id
FROM (SELECT runs.id AS id, row_number() OVER (PARTITION BY runs.location, runs.job, runs.concurrency_key ORDER BY runs.priority DESC, runs.id) AS place
FROM runs
WHERE runs.state = 'queued' AND runs.owner = '') AS placed
WHERE placed.place <= %s::BIGINT) ORDER BY runs.priority DESC, runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- any_queued()
SELECT runs.id
FROM runs
WHERE runs.state = 'queued' AND runs.owner = ''
 LIMIT 1 OFFSET 0;

-- open_runs()
SELECT runs.id, runs.job, runs.location, runs.state, runs.tags, runs.concurrency_key, runs.owner, runs.lease_until, runs.origin, runs.trigger, runs.config, runs.backfill_id, runs.started_at, runs.deadline_at
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND (runs.state != 'queued' OR runs.owner != '') ORDER BY runs.id;

-- unfinished_of(of_trigger)
SELECT runs.id, runs.location, runs.origin
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND runs.trigger = %s::VARCHAR ORDER BY runs.id;

-- put_rate_starts[name, at]
INSERT INTO rate_starts (name, at) SELECT r.name, r.at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(name TEXT, at DOUBLE PRECISION);

-- starts_of_rates(names, since)
SELECT rate_starts.name, rate_starts.at
FROM rate_starts
WHERE rate_starts.name IN (SELECT CAST(each_names.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_names) AND rate_starts.at > %s ORDER BY rate_starts.at;

-- delete_rate_starts(of_name, upto)
DELETE FROM rate_starts WHERE rate_starts.name = %s::VARCHAR AND rate_starts.at <= %s;

-- lock_queue()
SELECT pg_advisory_xact_lock(7089350519839) AS pg_advisory_xact_lock_1;

-- notify(topic)
SELECT pg_notify('batuta', %s::VARCHAR) AS pg_notify_1;

-- claim_queued(new_owner, until, ids)
UPDATE runs SET epoch=(runs.epoch + 1), owner=%s::VARCHAR, lease_until=%s WHERE runs.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) AND runs.state = 'queued' AND runs.owner = '' RETURNING runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id;

-- runs_listed(ids)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) ORDER BY runs.id;

-- clock()
SELECT EXTRACT(epoch FROM clock_timestamp()) AS anon_1;

-- take_lead(name, owner, until, instead_of, now)
INSERT INTO leaders (name, owner, until, epoch) VALUES (%s::VARCHAR, %s::VARCHAR, %s, 1) ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, epoch = CASE WHEN (leaders.owner = excluded.owner) THEN leaders.epoch ELSE leaders.epoch + 1 END WHERE leaders.owner IN (excluded.owner, %s::VARCHAR) OR leaders.until <= %s;

-- leader(name)
SELECT leaders.name, leaders.owner, leaders.until, leaders.epoch
FROM leaders
WHERE leaders.name = %s::VARCHAR;

-- leader_held(name)
SELECT leaders.name, leaders.owner, leaders.until, leaders.epoch
FROM leaders
WHERE leaders.name = %s::VARCHAR FOR SHARE;

-- give_up_lead(of_name, of_owner)
UPDATE leaders SET until=0 WHERE leaders.name = %s::VARCHAR AND leaders.owner = %s::VARCHAR;

-- touch_process(id, kind, host, pid, started_at, seen_at, info)
INSERT INTO processes (id, kind, host, pid, started_at, seen_at, info) VALUES (%s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::INTEGER, %s, %s, %s::VARCHAR) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, info = excluded.info;

-- all_processes(since)
SELECT processes.id, processes.kind, processes.host, processes.pid, processes.started_at, processes.seen_at, processes.info
FROM processes
WHERE processes.seen_at >= %s ORDER BY processes.started_at;

-- delete_process(id)
DELETE FROM processes WHERE processes.id = %s::VARCHAR;

-- keep_definition_version(location, hash, data, loaded_at)
INSERT INTO definition_versions (location, hash, data, loaded_at) VALUES (%s::VARCHAR, %s::VARCHAR, %s, %s) ON CONFLICT DO NOTHING;

-- definition_version(location, hash)
SELECT definition_versions.data
FROM definition_versions
WHERE definition_versions.location = %s::VARCHAR AND definition_versions.hash = %s::VARCHAR;

-- all_pools()
SELECT pools.name, pools.slots, pools.description, pools.changed_at, pools.changed_by
FROM pools ORDER BY pools.name;

-- put_pool(name, slots, description, changed_at, changed_by)
INSERT INTO pools (name, slots, description, changed_at, changed_by) VALUES (%s::VARCHAR, %s::INTEGER, %s::VARCHAR, %s, %s::VARCHAR) ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, description = excluded.description, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- delete_pool(name)
DELETE FROM pools WHERE pools.name = %s::VARCHAR;

-- put_pool_holds[run_id, task, pool, slots, owner]
INSERT INTO pool_holds (run_id, task, pool, slots, owner) SELECT r.run_id, r.task, r.pool, r.slots, r.owner
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(run_id BIGINT, task INTEGER, pool TEXT, slots INTEGER, owner TEXT) ON CONFLICT (run_id, task, pool) DO UPDATE SET slots = excluded.slots, owner = excluded.owner;

-- lock_pools()
SELECT pg_advisory_xact_lock(7089350519841) AS pg_advisory_xact_lock_1;

-- pool_use()
SELECT pool_holds.pool, sum(pool_holds.slots) AS sum_1
FROM pool_holds GROUP BY pool_holds.pool;

-- delete_pool_hold(run_id, task, owner)
DELETE FROM pool_holds WHERE pool_holds.run_id = %s::BIGINT AND pool_holds.task = %s::INTEGER AND pool_holds.owner = %s::VARCHAR;

-- delete_left_holds()
DELETE FROM pool_holds WHERE NOT (EXISTS (SELECT *
FROM runs
WHERE runs.id = pool_holds.run_id AND runs.owner = pool_holds.owner AND runs.state IN ('queued', 'running', 'paused', 'cancelling')));

-- put_deliveries[alert_id, channel, step, state, attempt, next_at, sent_at, error]
INSERT INTO alert_deliveries (alert_id, channel, step, state, attempt, next_at, sent_at, error) SELECT r.alert_id, r.channel, r.step, r.state, r.attempt, r.next_at, r.sent_at, r.error
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(alert_id BIGINT, channel TEXT, step INTEGER, state TEXT, attempt INTEGER, next_at DOUBLE PRECISION, sent_at DOUBLE PRECISION, error TEXT);

-- open_alerts()
SELECT alerts.id, alerts.rule, alerts.key, alerts.kind, alerts.severity, alerts.title, alerts.body, alerts.data, alerts.count, alerts.at, alerts.last_at, alerts.resolved_at
FROM alerts
WHERE alerts.resolved_at IS NULL ORDER BY alerts.id;

-- open_alert_count()
SELECT count(*) AS count_1
FROM alerts
WHERE alerts.resolved_at IS NULL;

-- settled_alerts(ids)
SELECT alerts.id
FROM alerts
WHERE alerts.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) AND alerts.resolved_at IS NULL;

-- put_alert(rule, key, kind, severity, title, body, data, count, at, last_at, resolved_at)
INSERT INTO alerts (rule, key, kind, severity, title, body, data, count, at, last_at, resolved_at) VALUES (%s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::VARCHAR, %s::INTEGER, %s, %s, %s) RETURNING alerts.id;

-- update_alert(new_severity, new_title, new_body, new_data, new_count, new_last_at, new_resolved_at, of_id)
UPDATE alerts SET severity=%s::VARCHAR, title=%s::VARCHAR, body=%s::VARCHAR, data=%s::VARCHAR, count=%s::INTEGER, last_at=%s, resolved_at=coalesce(alerts.resolved_at, %s) WHERE alerts.id = %s::BIGINT;

-- last_number_of_alerts()
SELECT coalesce(max(alerts.id), 0) AS coalesce_1
FROM alerts;

-- alerts_listed(rules, rules, kinds, kinds, severities, severities, is_open, is_open, text, text, text, text, after, before, limit)
SELECT alerts.id, alerts.rule, alerts.key, alerts.kind, alerts.severity, alerts.title, alerts.body, alerts.data, alerts.count, alerts.at, alerts.last_at, alerts.resolved_at
FROM alerts
WHERE (%s::VARCHAR IS NULL OR alerts.rule IN (SELECT CAST(each_rules.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_rules)) AND (%s::VARCHAR IS NULL OR alerts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR alerts.severity IN (SELECT CAST(each_severities.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_severities)) AND (CAST(%s AS BOOLEAN) IS NULL OR (alerts.resolved_at IS NULL) = CAST(%s AS BOOLEAN)) AND (%s::VARCHAR IS NULL OR lower(alerts.rule) LIKE %s::VARCHAR ESCAPE '\' OR lower(alerts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(alerts.body) LIKE %s::VARCHAR ESCAPE '\') AND alerts.id > %s::BIGINT AND alerts.id < %s::BIGINT ORDER BY alerts.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- alerts_listed_oldest_first(rules, rules, kinds, kinds, severities, severities, is_open, is_open, text, text, text, text, after, before, limit)
SELECT alerts.id, alerts.rule, alerts.key, alerts.kind, alerts.severity, alerts.title, alerts.body, alerts.data, alerts.count, alerts.at, alerts.last_at, alerts.resolved_at
FROM alerts
WHERE (%s::VARCHAR IS NULL OR alerts.rule IN (SELECT CAST(each_rules.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_rules)) AND (%s::VARCHAR IS NULL OR alerts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR alerts.severity IN (SELECT CAST(each_severities.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_severities)) AND (CAST(%s AS BOOLEAN) IS NULL OR (alerts.resolved_at IS NULL) = CAST(%s AS BOOLEAN)) AND (%s::VARCHAR IS NULL OR lower(alerts.rule) LIKE %s::VARCHAR ESCAPE '\' OR lower(alerts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(alerts.body) LIKE %s::VARCHAR ESCAPE '\') AND alerts.id > %s::BIGINT AND alerts.id < %s::BIGINT ORDER BY alerts.id
 LIMIT %s::BIGINT OFFSET 0;

-- alert_by_id(id)
SELECT alerts.id, alerts.rule, alerts.key, alerts.kind, alerts.severity, alerts.title, alerts.body, alerts.data, alerts.count, alerts.at, alerts.last_at, alerts.resolved_at
FROM alerts
WHERE alerts.id = %s::BIGINT;

-- deliveries_of(ids)
SELECT alert_deliveries.id, alert_deliveries.alert_id, alert_deliveries.channel, alert_deliveries.step, alert_deliveries.state, alert_deliveries.attempt, alert_deliveries.next_at, alert_deliveries.sent_at, alert_deliveries.error
FROM alert_deliveries
WHERE alert_deliveries.alert_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) ORDER BY alert_deliveries.id;

-- due_deliveries(now, channel, limit)
SELECT alert_deliveries.id, alert_deliveries.alert_id, alert_deliveries.channel, alert_deliveries.step, alert_deliveries.state, alert_deliveries.attempt, alert_deliveries.next_at, alert_deliveries.sent_at, alert_deliveries.error
FROM alert_deliveries
WHERE alert_deliveries.state IN ('waiting', 'unsure', 'sending') AND alert_deliveries.next_at <= %s AND alert_deliveries.channel = %s::VARCHAR ORDER BY alert_deliveries.id
 LIMIT %s::BIGINT OFFSET 0;

-- next_deliveries()
SELECT alert_deliveries.channel, min(alert_deliveries.next_at) AS min_1
FROM alert_deliveries
WHERE alert_deliveries.state IN ('waiting', 'unsure', 'sending') GROUP BY alert_deliveries.channel;

-- delivery_counts()
SELECT alert_deliveries.channel, alert_deliveries.state, count(*) AS count_1
FROM alert_deliveries
WHERE alert_deliveries.state IN ('waiting', 'unsure', 'sending') GROUP BY alert_deliveries.channel, alert_deliveries.state;

-- troubled_deliveries(limit)
SELECT alert_deliveries.channel, alert_deliveries.error
FROM alert_deliveries
WHERE alert_deliveries.state IN ('waiting', 'unsure', 'sending') AND alert_deliveries.error != '' ORDER BY alert_deliveries.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- begin_delivery(until, of_id, seen)
UPDATE alert_deliveries SET state='sending', attempt=(alert_deliveries.attempt + 1), next_at=%s WHERE alert_deliveries.id = %s::BIGINT AND alert_deliveries.attempt = %s::INTEGER AND alert_deliveries.state IN ('waiting', 'unsure', 'sending');

-- reopen_deliveries(now)
UPDATE alert_deliveries SET state='unsure', next_at=%s WHERE alert_deliveries.state = 'sending';

-- end_delivery(new_state, again_at, at, new_error, of_id, of_attempt)
UPDATE alert_deliveries SET state=%s::VARCHAR, next_at=%s, sent_at=%s, error=%s::VARCHAR WHERE alert_deliveries.id = %s::BIGINT AND alert_deliveries.attempt = %s::INTEGER AND alert_deliveries.state = 'sending';

-- events_of_kinds(after_id, upto_id, kinds, limit)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.id > %s::BIGINT AND events.id <= %s::BIGINT AND events.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds) ORDER BY events.id
 LIMIT %s::BIGINT OFFSET 0;

-- run_ends(run_id, before_seq)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.run_id = %s::BIGINT AND events.seq < %s::INTEGER AND events.kind = 'run_finished' ORDER BY events.seq DESC;

-- ticks_after(after_id, kind, kind, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE ticks.id > %s::BIGINT AND (%s::VARCHAR IS NULL OR ticks.kind = %s::VARCHAR) ORDER BY ticks.id
 LIMIT %s::BIGINT OFFSET 0;

-- last_tick_id()
SELECT coalesce(max(ticks.id), 0) AS coalesce_1
FROM ticks;

-- oldest_queued()
SELECT runs.created_at
FROM runs
WHERE runs.state = 'queued' ORDER BY runs.id
 LIMIT 1 OFFSET 0;

-- put_artifacts[run_id, task, name, kind, title, media_type, size, progress, content, attempt, job, location, at]
INSERT INTO artifacts (run_id, task, name, kind, title, media_type, size, progress, content, attempt, job, location, at) SELECT r.run_id, r.task, r.name, r.kind, r.title, r.media_type, r.size, r.progress, r.content, r.attempt, r.job, r.location, r.at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(run_id BIGINT, task INTEGER, name TEXT, kind TEXT, title TEXT, media_type TEXT, size BIGINT, progress DOUBLE PRECISION, content TEXT, attempt INTEGER, job TEXT, location TEXT, at DOUBLE PRECISION) ON CONFLICT (run_id, task, name) DO UPDATE SET kind = excluded.kind, title = excluded.title, media_type = excluded.media_type, size = excluded.size, progress = excluded.progress, content = excluded.content, attempt = excluded.attempt, job = excluded.job, location = excluded.location, at = excluded.at;

-- artifact(artifact_id)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.id = %s::BIGINT;

-- last_number_of_artifacts()
SELECT coalesce(max(artifacts.id), 0) AS coalesce_1
FROM artifacts;

-- artifacts_all(task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE (%s::INTEGER IS NULL OR artifacts.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR artifacts.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR artifacts.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(artifacts.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.job) LIKE %s::VARCHAR ESCAPE '\') AND artifacts.id > %s::BIGINT AND artifacts.id < %s::BIGINT ORDER BY artifacts.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- artifacts_all_oldest_first(task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE (%s::INTEGER IS NULL OR artifacts.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR artifacts.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR artifacts.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(artifacts.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.job) LIKE %s::VARCHAR ESCAPE '\') AND artifacts.id > %s::BIGINT AND artifacts.id < %s::BIGINT ORDER BY artifacts.id
 LIMIT %s::BIGINT OFFSET 0;

-- artifacts_of_run(of_run, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.run_id = %s::BIGINT AND (%s::INTEGER IS NULL OR artifacts.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR artifacts.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR artifacts.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(artifacts.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.job) LIKE %s::VARCHAR ESCAPE '\') AND artifacts.id > %s::BIGINT AND artifacts.id < %s::BIGINT ORDER BY artifacts.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- artifacts_of_run_oldest_first(of_run, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.run_id = %s::BIGINT AND (%s::INTEGER IS NULL OR artifacts.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR artifacts.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR artifacts.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(artifacts.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.job) LIKE %s::VARCHAR ESCAPE '\') AND artifacts.id > %s::BIGINT AND artifacts.id < %s::BIGINT ORDER BY artifacts.id
 LIMIT %s::BIGINT OFFSET 0;

-- artifacts_of_job(of_job, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.job = %s::VARCHAR AND (%s::INTEGER IS NULL OR artifacts.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR artifacts.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR artifacts.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(artifacts.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.job) LIKE %s::VARCHAR ESCAPE '\') AND artifacts.id > %s::BIGINT AND artifacts.id < %s::BIGINT ORDER BY artifacts.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- artifacts_of_job_oldest_first(of_job, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.job = %s::VARCHAR AND (%s::INTEGER IS NULL OR artifacts.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR artifacts.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR artifacts.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(artifacts.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.job) LIKE %s::VARCHAR ESCAPE '\') AND artifacts.id > %s::BIGINT AND artifacts.id < %s::BIGINT ORDER BY artifacts.id
 LIMIT %s::BIGINT OFFSET 0;

-- artifacts_named(named, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.name = %s::VARCHAR AND (%s::INTEGER IS NULL OR artifacts.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR artifacts.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR artifacts.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(artifacts.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.job) LIKE %s::VARCHAR ESCAPE '\') AND artifacts.id > %s::BIGINT AND artifacts.id < %s::BIGINT ORDER BY artifacts.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- artifacts_named_oldest_first(named, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.name = %s::VARCHAR AND (%s::INTEGER IS NULL OR artifacts.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR artifacts.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.name = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR artifacts.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR artifacts.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(artifacts.name) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.title) LIKE %s::VARCHAR ESCAPE '\' OR lower(artifacts.job) LIKE %s::VARCHAR ESCAPE '\') AND artifacts.id > %s::BIGINT AND artifacts.id < %s::BIGINT ORDER BY artifacts.id
 LIMIT %s::BIGINT OFFSET 0;

-- put_evaluations[location, what, data, asked_by, at, until, taken_by, answer]
INSERT INTO evaluations (location, what, data, asked_by, at, until, taken_by, answer) SELECT r.location, r.what, r.data, r.asked_by, r.at, r.until, r.taken_by, r.answer
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(location TEXT, what TEXT, data TEXT, asked_by TEXT, at DOUBLE PRECISION, until DOUBLE PRECISION, taken_by TEXT, answer TEXT);

-- last_evaluation(of_location, by, at)
SELECT max(evaluations.id) AS max_1
FROM evaluations
WHERE evaluations.location = %s::VARCHAR AND evaluations.asked_by = %s::VARCHAR AND evaluations.at = %s;

-- evaluation_answer(number)
SELECT evaluations.answer
FROM evaluations
WHERE evaluations.id = %s::BIGINT;

-- evaluations_waiting(now)
SELECT evaluations.id, evaluations.location, evaluations.what, evaluations.data, evaluations.asked_by, evaluations.at, evaluations.until, evaluations.taken_by, evaluations.answer
FROM evaluations
WHERE evaluations.taken_by = '' AND evaluations.until > %s ORDER BY evaluations.id;

-- take_evaluation(new_owner, number)
UPDATE evaluations SET taken_by=%s::VARCHAR WHERE evaluations.id = %s::BIGINT AND evaluations.taken_by = '';

-- answer_evaluation(given, number)
UPDATE evaluations SET answer=%s::VARCHAR WHERE evaluations.id = %s::BIGINT;

-- delete_evaluation(number)
DELETE FROM evaluations WHERE evaluations.id = %s::BIGINT;

-- old_evaluations(cutoff)
SELECT evaluations.id
FROM evaluations
WHERE evaluations.until < %s
 LIMIT 1 OFFSET 0;

-- delete_old_evaluations(cutoff)
DELETE FROM evaluations WHERE evaluations.until < %s;

-- put_signals[name, at, data, sent_by]
INSERT INTO signals (name, at, data, sent_by) SELECT r.name, r.at, r.data, r.sent_by
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(name TEXT, at DOUBLE PRECISION, data TEXT, sent_by TEXT);

-- lock_signals()
SELECT pg_advisory_xact_lock(7089350519840) AS pg_advisory_xact_lock_1;

-- signals_after(name, after_id, limit)
SELECT signals.id, signals.name, signals.at, signals.data, signals.sent_by
FROM signals
WHERE signals.name = %s::VARCHAR AND signals.id > %s::BIGINT ORDER BY signals.id
 LIMIT %s::BIGINT OFFSET 0;

-- signals_among(keys, after, limit)
SELECT signals.id, signals.name, signals.at, signals.data, signals.sent_by
FROM signals
WHERE signals.name IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys) AND signals.at > %s ORDER BY signals.id
 LIMIT %s::BIGINT OFFSET 0;

-- last_signal_id()
SELECT coalesce(max(signals.id), 0) AS coalesce_1
FROM signals;

-- put_backfills[location, job, selection, state, config, params, tags, created_by, created_at, finished_at, error]
INSERT INTO backfills (location, job, selection, state, config, params, tags, created_by, created_at, finished_at, error) SELECT r.location, r.job, r.selection, r.state, r.config, r.params, r.tags, r.created_by, r.created_at, r.finished_at, r.error
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(location TEXT, job TEXT, selection TEXT, state TEXT, config TEXT, params TEXT, tags TEXT, created_by TEXT, created_at DOUBLE PRECISION, finished_at DOUBLE PRECISION, error TEXT);

-- put_backfill_items[backfill_id, no, label, partitions, logical_at, state, attempt, run_id, error]
INSERT INTO backfill_items (backfill_id, no, label, partitions, logical_at, state, attempt, run_id, error) SELECT r.backfill_id, r.no, r.label, r.partitions, r.logical_at, r.state, r.attempt, r.run_id, r.error
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(backfill_id BIGINT, no INTEGER, label TEXT, partitions TEXT, logical_at DOUBLE PRECISION, state TEXT, attempt INTEGER, run_id BIGINT, error TEXT);

-- lock_backfills()
SELECT pg_advisory_xact_lock(7089350519842) AS pg_advisory_xact_lock_1;

-- last_backfill_id()
SELECT coalesce(max(backfills.id), 0) AS coalesce_1
FROM backfills;

-- backfill(of_backfill)
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE backfills.id = %s::BIGINT;

-- backfill_held(of_backfill)
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE backfills.id = %s::BIGINT FOR UPDATE;

-- last_number_of_backfills()
SELECT coalesce(max(backfills.id), 0) AS coalesce_1
FROM backfills;

-- backfills_page(job, job, states, states, locations, locations, text, text, text, text, text, after, before, limit)
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE (%s::VARCHAR IS NULL OR backfills.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR backfills.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR backfills.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(backfills.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(backfills.selection) LIKE %s::VARCHAR ESCAPE '\' OR lower(backfills.created_by) LIKE %s::VARCHAR ESCAPE '\' OR lower(backfills.error) LIKE %s::VARCHAR ESCAPE '\') AND backfills.id > %s::BIGINT AND backfills.id < %s::BIGINT ORDER BY backfills.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- backfills_page_oldest_first(job, job, states, states, locations, locations, text, text, text, text, text, after, before, limit)
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE (%s::VARCHAR IS NULL OR backfills.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR backfills.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR backfills.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR lower(backfills.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(backfills.selection) LIKE %s::VARCHAR ESCAPE '\' OR lower(backfills.created_by) LIKE %s::VARCHAR ESCAPE '\' OR lower(backfills.error) LIKE %s::VARCHAR ESCAPE '\') AND backfills.id > %s::BIGINT AND backfills.id < %s::BIGINT ORDER BY backfills.id
 LIMIT %s::BIGINT OFFSET 0;

-- open_backfills()
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE backfills.state IN ('running', 'paused', 'cancelling') ORDER BY backfills.id;

-- backfill_counts(ids)
SELECT backfill_items.backfill_id, backfill_items.state, count(*) AS count_1
FROM backfill_items
WHERE backfill_items.backfill_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) GROUP BY backfill_items.backfill_id, backfill_items.state;

-- backfill_items_page(of_backfill, after, states, states, text, text, text, limit)
SELECT backfill_items.backfill_id, backfill_items.no, backfill_items.label, backfill_items.partitions, backfill_items.logical_at, backfill_items.state, backfill_items.attempt, backfill_items.run_id, backfill_items.error
FROM backfill_items
WHERE backfill_items.backfill_id = %s::BIGINT AND backfill_items.no > %s::INTEGER AND (%s::VARCHAR IS NULL OR backfill_items.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR lower(backfill_items.label) LIKE %s::VARCHAR ESCAPE '\' OR lower(backfill_items.error) LIKE %s::VARCHAR ESCAPE '\') ORDER BY backfill_items.no
 LIMIT %s::BIGINT OFFSET 0;

-- backfill_items_ended(of_backfill, limit)
SELECT backfill_items.no, backfill_items.attempt, backfill_items.run_id, runs.state, runs.error
FROM backfill_items JOIN runs ON runs.id = backfill_items.run_id
WHERE backfill_items.backfill_id = %s::BIGINT AND backfill_items.state = 'submitted' AND runs.state IN ('succeeded', 'failed', 'cancelled') ORDER BY backfill_items.no
 LIMIT %s::BIGINT OFFSET 0;

-- backfill_items_lost(of_backfill, limit)
SELECT backfill_items.no, backfill_items.attempt, backfill_items.run_id
FROM backfill_items
WHERE backfill_items.backfill_id = %s::BIGINT AND backfill_items.state = 'submitted' AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.id = backfill_items.run_id)) ORDER BY backfill_items.no
 LIMIT %s::BIGINT OFFSET 0;

-- backfill_runs_open(of_backfill)
SELECT backfill_items.run_id
FROM backfill_items
WHERE backfill_items.backfill_id = %s::BIGINT AND backfill_items.state = 'submitted' ORDER BY backfill_items.no;

-- update_backfill_items[state, attempt, run_id, error, key_backfill_id, key_no]
UPDATE backfill_items SET state=r.state, attempt=r.attempt, run_id=r.run_id, error=r.error FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(state TEXT, attempt INTEGER, run_id BIGINT, error TEXT, key_backfill_id BIGINT, key_no INTEGER) WHERE backfill_items.backfill_id = r.key_backfill_id AND backfill_items.no = r.key_no;

-- set_backfill_state(new_state, ended_at, new_error, of_backfill)
UPDATE backfills SET state=%s::VARCHAR, finished_at=%s, error=%s::VARCHAR WHERE backfills.id = %s::BIGINT;

-- cancel_waiting_items(of_backfill)
UPDATE backfill_items SET state='cancelled' WHERE backfill_items.backfill_id = %s::BIGINT AND backfill_items.state = 'waiting';

-- retry_backfill_items(of_backfill, states)
UPDATE backfill_items SET state='waiting', attempt=(backfill_items.attempt + 1), run_id=NULL, error='' WHERE backfill_items.backfill_id = %s::BIGINT AND backfill_items.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states);

-- materializations_since(after_id, limit)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.id > %s::BIGINT ORDER BY materializations.id
 LIMIT %s::BIGINT OFFSET 0;

-- check_results_since(after_id, limit)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE check_results.id > %s::BIGINT ORDER BY check_results.id
 LIMIT %s::BIGINT OFFSET 0;

-- last_asset_ids()
SELECT coalesce((SELECT max(materializations.id) AS max_1
FROM materializations), 0) AS coalesce_1, coalesce((SELECT max(check_results.id) AS max_2
FROM check_results), 0) AS coalesce_2;

-- unfinished_asset_runs()
SELECT runs.id, runs.plan_hash
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND runs.kind = 'assets' AND NOT (EXISTS (SELECT *
FROM run_tags
WHERE run_tags.key = 'batuta/environment' AND run_tags.run_id = runs.id)) ORDER BY runs.id;

-- switched_tickers(kind)
SELECT tickers.location, tickers.name, tickers.enabled
FROM tickers
WHERE tickers.kind = %s::VARCHAR AND tickers.enabled IS NOT NULL;

-- latest_ticks(kind)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE ticks.id IN (SELECT max(ticks.id) AS max_1
FROM ticks
WHERE ticks.kind = %s::VARCHAR GROUP BY ticks.location, ticks.name) ORDER BY ticks.location, ticks.name;

-- put_asset_usage[asset, kind, reader, day, reads, last_at, last_run]
INSERT INTO asset_usage (asset, kind, reader, day, reads, last_at, last_run) SELECT r.asset, r.kind, r.reader, r.day, r.reads, r.last_at, r.last_run
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(asset TEXT, kind TEXT, reader TEXT, day INTEGER, reads INTEGER, last_at DOUBLE PRECISION, last_run BIGINT) ON CONFLICT (asset, kind, reader, day) DO UPDATE SET reads = (asset_usage.reads + excluded.reads), last_at = excluded.last_at, last_run = excluded.last_run;

-- usage_totals(since, assets, assets)
SELECT asset_usage.asset, sum(asset_usage.reads) AS sum_1, count(DISTINCT (asset_usage.kind || ' ' || asset_usage.reader)) AS count_1, max(asset_usage.last_at) AS max_1
FROM asset_usage
WHERE asset_usage.day >= %s::INTEGER AND (%s::VARCHAR IS NULL OR asset_usage.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets)) GROUP BY asset_usage.asset;

-- usage_readers(asset, since, limit)
SELECT asset_usage.kind, asset_usage.reader, sum(asset_usage.reads) AS sum_1, max(asset_usage.last_at) AS max_1, max(asset_usage.last_run) AS max_2
FROM asset_usage
WHERE asset_usage.asset = %s::VARCHAR AND asset_usage.day >= %s::INTEGER GROUP BY asset_usage.kind, asset_usage.reader ORDER BY sum(asset_usage.reads) DESC, asset_usage.kind, asset_usage.reader
 LIMIT %s::BIGINT OFFSET 0;

-- usage_days(asset, since)
SELECT asset_usage.day, sum(asset_usage.reads) AS sum_1
FROM asset_usage
WHERE asset_usage.asset = %s::VARCHAR AND asset_usage.day >= %s::INTEGER GROUP BY asset_usage.day ORDER BY asset_usage.day;

-- delete_asset_usage(cutoff)
DELETE FROM asset_usage WHERE asset_usage.day < %s::INTEGER;

-- metadata_before(asset, partition, limit)
SELECT asset_partitions.partition, asset_partitions.at, asset_partitions.metadata
FROM asset_partitions
WHERE asset_partitions.asset = %s::VARCHAR AND asset_partitions.partition < %s::VARCHAR ORDER BY asset_partitions.partition DESC
 LIMIT %s::BIGINT OFFSET 0;

-- verdicts_before(asset, check, partition, limit)
SELECT checks_current.partition, checks_current.at, checks_current.metadata
FROM checks_current
WHERE checks_current.asset = %s::VARCHAR AND checks_current.check_name = %s::VARCHAR AND checks_current.partition < %s::VARCHAR ORDER BY checks_current.partition DESC
 LIMIT %s::BIGINT OFFSET 0;

-- put_asset_columns[asset, source, hash, columns, lineage, run_id, at]
INSERT INTO asset_columns (asset, source, hash, columns, lineage, run_id, at) SELECT r.asset, r.source, r.hash, r.columns, r.lineage, r.run_id, r.at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(asset TEXT, source TEXT, hash TEXT, columns TEXT, lineage TEXT, run_id BIGINT, at DOUBLE PRECISION) ON CONFLICT (asset, source) DO UPDATE SET hash = excluded.hash, columns = excluded.columns, lineage = excluded.lineage, run_id = excluded.run_id, at = excluded.at;

-- asset_columns_since(since)
SELECT asset_columns.asset, asset_columns.source, asset_columns.hash, asset_columns.columns, asset_columns.lineage, asset_columns.run_id, asset_columns.at
FROM asset_columns
WHERE asset_columns.at >= %s ORDER BY asset_columns.asset, asset_columns.source;

-- asset_columns_of(assets)
SELECT asset_columns.asset, asset_columns.source, asset_columns.hash, asset_columns.columns, asset_columns.lineage, asset_columns.run_id, asset_columns.at
FROM asset_columns
WHERE asset_columns.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets) ORDER BY asset_columns.asset, asset_columns.source;

-- asset_columns_newest()
SELECT coalesce(max(asset_columns.at), 0) AS coalesce_1, count(*) AS count_1
FROM asset_columns;

-- delete_asset_columns(source, assets)
DELETE FROM asset_columns WHERE asset_columns.source = %s::VARCHAR AND asset_columns.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets);

-- put_asset_code[asset, code_version, code, run_id, at]
INSERT INTO asset_code (asset, code_version, code, run_id, at) SELECT r.asset, r.code_version, r.code, r.run_id, r.at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(asset TEXT, code_version TEXT, code TEXT, run_id BIGINT, at DOUBLE PRECISION) ON CONFLICT DO NOTHING;

-- asset_code_of(assets)
SELECT asset_code.asset, asset_code.code_version, asset_code.code
FROM asset_code
WHERE asset_code.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets);

-- unused_code(cutoff, limit)
SELECT asset_code.asset, asset_code.code_version
FROM asset_code
WHERE asset_code.at < %s AND NOT (EXISTS (SELECT *
FROM asset_partitions
WHERE asset_partitions.asset = asset_code.asset AND asset_partitions.code_version = asset_code.code_version)) AND NOT (EXISTS (SELECT *
FROM environment_partitions
WHERE environment_partitions.asset = asset_code.asset AND environment_partitions.code_version = asset_code.code_version)) ORDER BY asset_code.asset, asset_code.code_version
 LIMIT %s::BIGINT OFFSET 0;

-- delete_asset_code(asset, code_version)
DELETE FROM asset_code WHERE asset_code.asset = %s::VARCHAR AND asset_code.code_version = %s::VARCHAR;

-- put_environments[name, description, created_at, created_by]
INSERT INTO environments (name, description, created_at, created_by) SELECT r.name, r.description, r.created_at, r.created_by
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(name TEXT, description TEXT, created_at DOUBLE PRECISION, created_by TEXT) ON CONFLICT DO NOTHING;

-- put_environment_partitions[environment, asset, partition, run_id, task, at, data_version, code_version, inputs, metadata]
INSERT INTO environment_partitions (environment, asset, partition, run_id, task, at, data_version, code_version, inputs, metadata) SELECT r.environment, r.asset, r.partition, r.run_id, r.task, r.at, r.data_version, r.code_version, r.inputs, r.metadata
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(environment TEXT, asset TEXT, partition TEXT, run_id BIGINT, task INTEGER, at DOUBLE PRECISION, data_version TEXT, code_version TEXT, inputs TEXT, metadata TEXT) ON CONFLICT (environment, asset, partition) DO UPDATE SET run_id = excluded.run_id, task = excluded.task, at = excluded.at, data_version = excluded.data_version, code_version = excluded.code_version, inputs = excluded.inputs, metadata = excluded.metadata;

-- put_environment_checks[environment, asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome]
INSERT INTO environment_checks (environment, asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome) SELECT r.environment, r.asset, r.check_name, r.partition, r.run_id, r.task, r.at, r.passed, r.blocking, r.description, r.metadata, r.outcome
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(environment TEXT, asset TEXT, check_name TEXT, partition TEXT, run_id BIGINT, task INTEGER, at DOUBLE PRECISION, passed BOOLEAN, blocking BOOLEAN, description TEXT, metadata TEXT, outcome TEXT) ON CONFLICT (environment, asset, check_name, partition) DO UPDATE SET run_id = excluded.run_id, task = excluded.task, at = excluded.at, passed = excluded.passed, blocking = excluded.blocking, description = excluded.description, metadata = excluded.metadata, outcome = excluded.outcome;

-- all_environments()
SELECT environments.name, environments.description, environments.created_at, environments.created_by, count(DISTINCT environment_partitions.asset) AS count_1, count(environment_partitions.asset) AS count_2, coalesce(max(environment_partitions.at), 0) AS coalesce_1
FROM environments LEFT OUTER JOIN environment_partitions ON environment_partitions.environment = environments.name GROUP BY environments.name, environments.description, environments.created_at, environments.created_by ORDER BY environments.name;

-- environment_states(environment, assets, assets)
SELECT environment_partitions.asset, environment_partitions.partition, environment_partitions.run_id, environment_partitions.task, environment_partitions.at, environment_partitions.data_version, environment_partitions.code_version, environment_partitions.inputs, environment_partitions.metadata, 0
FROM environment_partitions
WHERE environment_partitions.environment = %s::VARCHAR AND (%s::VARCHAR IS NULL OR environment_partitions.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets));

-- environment_states_of_run(run_id)
SELECT environment_partitions.asset, environment_partitions.partition, environment_partitions.run_id, environment_partitions.task, environment_partitions.at, environment_partitions.data_version, environment_partitions.code_version, environment_partitions.inputs, environment_partitions.metadata, 0
FROM environment_partitions
WHERE environment_partitions.run_id = %s::BIGINT;

-- environment_verdicts_of_run(run_id)
SELECT environment_checks.asset, environment_checks.check_name, environment_checks.partition, environment_checks.run_id, environment_checks.task, environment_checks.at, environment_checks.passed, environment_checks.blocking, environment_checks.description, environment_checks.metadata, environment_checks.outcome, 0
FROM environment_checks
WHERE environment_checks.run_id = %s::BIGINT;

-- environment_verdicts(environment)
SELECT environment_checks.asset, environment_checks.check_name, environment_checks.partition, environment_checks.run_id, environment_checks.task, environment_checks.at, environment_checks.passed, environment_checks.blocking, environment_checks.description, environment_checks.metadata, environment_checks.outcome, 0
FROM environment_checks
WHERE environment_checks.environment = %s::VARCHAR;

-- environments_with(asset, partition, code_version)
SELECT environment_partitions.environment, environment_partitions.asset, environment_partitions.partition, environment_partitions.run_id, environment_partitions.task, environment_partitions.at, environment_partitions.data_version, environment_partitions.code_version, environment_partitions.inputs, environment_partitions.metadata, 0
FROM environment_partitions
WHERE environment_partitions.asset = %s::VARCHAR AND environment_partitions.partition = %s::VARCHAR AND environment_partitions.code_version = %s::VARCHAR ORDER BY environment_partitions.at DESC;

-- delete_environment(name)
DELETE FROM environments WHERE environments.name = %s::VARCHAR;

-- delete_environments[name]
DELETE FROM environments WHERE environments.name IN (SELECT r.name
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(name TEXT));

-- delete_environment_asset(environment, asset)
DELETE FROM environment_partitions WHERE environment_partitions.environment = %s::VARCHAR AND environment_partitions.asset = %s::VARCHAR;

-- put_external_jobs[key, namespace, name, data, since, last_at, heard_at]
INSERT INTO external_jobs (key, namespace, name, data, since, last_at, heard_at) SELECT r.key, r.namespace, r.name, r.data, r.since, r.last_at, r.heard_at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(key TEXT, namespace TEXT, name TEXT, data TEXT, since DOUBLE PRECISION, last_at DOUBLE PRECISION, heard_at DOUBLE PRECISION) ON CONFLICT (key) DO UPDATE SET namespace = excluded.namespace, name = excluded.name, data = excluded.data, since = excluded.since, last_at = excluded.last_at, heard_at = excluded.heard_at;

-- put_external_runs[run_id, job, state, parent, began_at, last_at, data, heard_at]
INSERT INTO external_runs (run_id, job, state, parent, began_at, last_at, data, heard_at) SELECT r.run_id, r.job, r.state, r.parent, r.began_at, r.last_at, r.data, r.heard_at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(run_id TEXT, job TEXT, state TEXT, parent TEXT, began_at DOUBLE PRECISION, last_at DOUBLE PRECISION, data TEXT, heard_at DOUBLE PRECISION) ON CONFLICT (run_id) DO UPDATE SET job = excluded.job, state = excluded.state, parent = excluded.parent, began_at = excluded.began_at, last_at = excluded.last_at, data = excluded.data, heard_at = excluded.heard_at;

-- put_external_datasets[key, namespace, name, data, last_at, heard_at]
INSERT INTO external_datasets (key, namespace, name, data, last_at, heard_at) SELECT r.key, r.namespace, r.name, r.data, r.last_at, r.heard_at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(key TEXT, namespace TEXT, name TEXT, data TEXT, last_at DOUBLE PRECISION, heard_at DOUBLE PRECISION) ON CONFLICT (key) DO UPDATE SET namespace = excluded.namespace, name = excluded.name, data = excluded.data, last_at = excluded.last_at, heard_at = excluded.heard_at;

-- put_external_edges[job, direction, dataset, at]
INSERT INTO external_edges (job, direction, dataset, at) SELECT r.job, r.direction, r.dataset, r.at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(job TEXT, direction TEXT, dataset TEXT, at DOUBLE PRECISION) ON CONFLICT (job, direction, dataset) DO UPDATE SET at = excluded.at;

-- lock_external_jobs()
SELECT pg_advisory_xact_lock(7089350519847) AS pg_advisory_xact_lock_1;

-- external_jobs_of(keys)
SELECT external_jobs.key, external_jobs.data
FROM external_jobs
WHERE external_jobs.key IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys);

-- external_jobs_since(since)
SELECT external_jobs.key, external_jobs.data
FROM external_jobs
WHERE external_jobs.heard_at >= %s;

-- external_jobs_newest()
SELECT coalesce(max(external_jobs.heard_at), 0) AS coalesce_1, count(*) AS count_1
FROM external_jobs;

-- external_datasets_of(keys)
SELECT external_datasets.key, external_datasets.data
FROM external_datasets
WHERE external_datasets.key IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys);

-- external_datasets_since(since)
SELECT external_datasets.key, external_datasets.data
FROM external_datasets
WHERE external_datasets.heard_at >= %s;

-- external_datasets_newest()
SELECT coalesce(max(external_datasets.heard_at), 0) AS coalesce_1, count(*) AS count_1
FROM external_datasets;

-- external_runs_of(ids)
SELECT external_runs.run_id, external_runs.data
FROM external_runs
WHERE external_runs.run_id IN (SELECT CAST(each_ids.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- external_edges_of(jobs)
SELECT external_edges.job, external_edges.direction, external_edges.dataset, external_edges.at
FROM external_edges
WHERE external_edges.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs);

-- external_edges_now()
SELECT external_edges.job, external_edges.direction, external_edges.dataset
FROM external_edges JOIN external_jobs ON external_jobs.key = external_edges.job
WHERE external_edges.at >= external_jobs.since ORDER BY external_edges.job, external_edges.direction, external_edges.dataset;

-- external_runs_page(began_at, after_id, job, job, parent, parent, limit)
SELECT external_runs.run_id, external_runs.data
FROM external_runs
WHERE (external_runs.began_at, external_runs.run_id) < (%s, %s::VARCHAR) AND (%s::VARCHAR IS NULL OR external_runs.job = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR external_runs.parent = %s::VARCHAR) ORDER BY external_runs.began_at DESC, external_runs.run_id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- external_states(job)
SELECT external_runs.state, count(*) AS count_1
FROM external_runs
WHERE external_runs.job = %s::VARCHAR GROUP BY external_runs.state;

-- old_external_runs(cutoff, limit)
SELECT external_runs.run_id
FROM external_runs
WHERE external_runs.heard_at < %s ORDER BY external_runs.heard_at
 LIMIT %s::BIGINT OFFSET 0;

-- delete_external_runs(ids, cutoff)
DELETE FROM external_runs WHERE external_runs.run_id IN (SELECT CAST(each_ids.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) AND external_runs.heard_at < %s;

-- old_external_jobs(cutoff, limit)
SELECT external_jobs.key
FROM external_jobs
WHERE external_jobs.heard_at < %s AND NOT (EXISTS (SELECT *
FROM external_runs
WHERE external_runs.job = external_jobs.key)) ORDER BY external_jobs.key
 LIMIT %s::BIGINT OFFSET 0;

-- delete_external_jobs(keys, cutoff)
DELETE FROM external_jobs WHERE external_jobs.key IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys) AND external_jobs.heard_at < %s AND NOT (EXISTS (SELECT *
FROM external_runs
WHERE external_runs.job = external_jobs.key));

-- delete_external_edges(cutoff, limit)
DELETE FROM external_edges WHERE (external_edges.job, external_edges.direction, external_edges.dataset) IN (SELECT edge.job, edge.direction, edge.dataset
FROM external_edges AS edge
WHERE NOT (EXISTS (SELECT *
FROM external_jobs
WHERE external_jobs.key = edge.job)) OR edge.at < %s AND NOT (EXISTS (SELECT *
FROM external_jobs
WHERE external_jobs.key = edge.job AND edge.at >= external_jobs.since))
 LIMIT %s::BIGINT OFFSET 0);

-- delete_external_datasets(cutoff, limit)
DELETE FROM external_datasets WHERE external_datasets.key IN (SELECT dataset.key
FROM external_datasets AS dataset
WHERE dataset.heard_at < %s AND NOT (EXISTS (SELECT *
FROM external_edges
WHERE external_edges.dataset = dataset.key))
 LIMIT %s::BIGINT OFFSET 0);

-- put_variables[name, value, secret, description, changed_at, changed_by]
INSERT INTO variables (name, value, secret, description, changed_at, changed_by) SELECT r.name, r.value, r.secret, r.description, r.changed_at, r.changed_by
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(name TEXT, value TEXT, secret BOOLEAN, description TEXT, changed_at DOUBLE PRECISION, changed_by TEXT) ON CONFLICT (name) DO UPDATE SET value = excluded.value, secret = excluded.secret, description = excluded.description, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- put_connections[name, kind, data, description, changed_at, changed_by]
INSERT INTO connections (name, kind, data, description, changed_at, changed_by) SELECT r.name, r.kind, r.data, r.description, r.changed_at, r.changed_by
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(name TEXT, kind TEXT, data TEXT, description TEXT, changed_at DOUBLE PRECISION, changed_by TEXT) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, data = excluded.data, description = excluded.description, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- put_audit[at, actor, action, object_kind, object_name, data]
INSERT INTO audit (at, actor, action, object_kind, object_name, data) SELECT r.at, r.actor, r.action, r.object_kind, r.object_name, r.data
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(at DOUBLE PRECISION, actor TEXT, action TEXT, object_kind TEXT, object_name TEXT, data TEXT);

-- all_variables(name, name)
SELECT variables.name, variables.value, variables.secret, variables.description, variables.changed_at, variables.changed_by
FROM variables
WHERE %s::VARCHAR IS NULL OR variables.name = %s::VARCHAR ORDER BY variables.name;

-- all_connections(name, name)
SELECT connections.name, connections.kind, connections.data, connections.description, connections.changed_at, connections.changed_by
FROM connections
WHERE %s::VARCHAR IS NULL OR connections.name = %s::VARCHAR ORDER BY connections.name;

-- delete_variable(name)
DELETE FROM variables WHERE variables.name = %s::VARCHAR;

-- delete_connection(name)
DELETE FROM connections WHERE connections.name = %s::VARCHAR;

-- keep_meta(key, value)
INSERT INTO meta (key, value) VALUES (%s::VARCHAR, %s::VARCHAR) ON CONFLICT DO NOTHING;

-- lock_settings()
SELECT pg_advisory_xact_lock(7089350519838) AS pg_advisory_xact_lock_1;

-- last_number_of_audit()
SELECT coalesce(max(audit.id), 0) AS coalesce_1
FROM audit;

-- audit_entries(actor, actor, action, action, object_kind, object_kind, object_name, object_name, since, text, text, text, text, text, text, after, before, limit)
SELECT audit.id, audit.at, audit.actor, audit.action, audit.object_kind, audit.object_name, audit.data
FROM audit
WHERE (%s::VARCHAR IS NULL OR audit.actor = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR audit.action = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR audit.object_kind = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR audit.object_name = %s::VARCHAR) AND audit.at >= %s AND (%s::VARCHAR IS NULL OR lower(audit.actor) LIKE %s::VARCHAR ESCAPE '\' OR lower(audit.action) LIKE %s::VARCHAR ESCAPE '\' OR lower(audit.object_kind) LIKE %s::VARCHAR ESCAPE '\' OR lower(audit.object_name) LIKE %s::VARCHAR ESCAPE '\' OR lower(audit.data) LIKE %s::VARCHAR ESCAPE '\') AND audit.id > %s::BIGINT AND audit.id < %s::BIGINT ORDER BY audit.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- audit_entries_oldest_first(actor, actor, action, action, object_kind, object_kind, object_name, object_name, since, text, text, text, text, text, text, after, before, limit)
SELECT audit.id, audit.at, audit.actor, audit.action, audit.object_kind, audit.object_name, audit.data
FROM audit
WHERE (%s::VARCHAR IS NULL OR audit.actor = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR audit.action = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR audit.object_kind = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR audit.object_name = %s::VARCHAR) AND audit.at >= %s AND (%s::VARCHAR IS NULL OR lower(audit.actor) LIKE %s::VARCHAR ESCAPE '\' OR lower(audit.action) LIKE %s::VARCHAR ESCAPE '\' OR lower(audit.object_kind) LIKE %s::VARCHAR ESCAPE '\' OR lower(audit.object_name) LIKE %s::VARCHAR ESCAPE '\' OR lower(audit.data) LIKE %s::VARCHAR ESCAPE '\') AND audit.id > %s::BIGINT AND audit.id < %s::BIGINT ORDER BY audit.id
 LIMIT %s::BIGINT OFFSET 0;

-- definition_heads()
SELECT definitions.location, definitions.hash, definitions.loaded_at, definitions.error, definitions.problems
FROM definitions ORDER BY definitions.location;

-- newest_ids()
SELECT (SELECT coalesce(max(events.id), 0) AS coalesce_1
FROM events) AS anon_1, (SELECT coalesce(max(materializations.id), 0) AS coalesce_2
FROM materializations) AS anon_2, (SELECT coalesce(max(check_results.id), 0) AS coalesce_3
FROM check_results) AS anon_3;

-- newest_of_all()
SELECT (SELECT coalesce(max(runs.id), 0) AS coalesce_1
FROM runs) AS anon_1, (SELECT coalesce(max(ticks.id), 0) AS coalesce_2
FROM ticks) AS anon_2, (SELECT coalesce(max(alerts.id), 0) AS coalesce_3
FROM alerts) AS anon_3, (SELECT coalesce(max(alert_deliveries.id), 0) AS coalesce_4
FROM alert_deliveries) AS anon_4, (SELECT coalesce(max(artifacts.id), 0) AS coalesce_5
FROM artifacts) AS anon_5, (SELECT coalesce(max(materializations.id), 0) AS coalesce_6
FROM materializations) AS anon_6, (SELECT coalesce(max(check_results.id), 0) AS coalesce_7
FROM check_results) AS anon_7, (SELECT coalesce(max(audit.id), 0) AS coalesce_8
FROM audit) AS anon_8, (SELECT coalesce(max(backfills.id), 0) AS coalesce_9
FROM backfills) AS anon_9, (SELECT coalesce(max(external_jobs.heard_at), 0) AS coalesce_10
FROM external_jobs) AS anon_10, (SELECT coalesce(max(external_runs.heard_at), 0) AS coalesce_11
FROM external_runs) AS anon_11, (SELECT coalesce(max(external_datasets.heard_at), 0) AS coalesce_12
FROM external_datasets) AS anon_12, (SELECT coalesce(sum(backfills.id), 0) AS coalesce_13
FROM backfills
WHERE backfills.state IN ('running', 'paused', 'cancelling')) AS anon_13;

-- last_number_of_runs()
SELECT coalesce(max(runs.id), 0) AS coalesce_1
FROM runs;

-- run_list_all(states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_all_oldest_first(states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_of_job(job, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.job = %s::VARCHAR AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_of_job_oldest_first(job, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.job = %s::VARCHAR AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_in_state(state, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.state = %s::VARCHAR AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_in_state_oldest_first(state, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.state = %s::VARCHAR AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_triggered(trigger, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.trigger = %s::VARCHAR AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_triggered_oldest_first(trigger, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.trigger = %s::VARCHAR AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_of_parent(of_parent, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.parent_run = %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_of_parent_oldest_first(of_parent, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.parent_run = %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_of_backfill(of_backfill, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.backfill_id = %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_of_backfill_oldest_first(of_backfill, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.backfill_id = %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_of_partition(of_partition, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.partition = %s::VARCHAR AND runs.partition != '' AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_of_partition_oldest_first(of_partition, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.partition = %s::VARCHAR AND runs.partition != '' AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_tagged(tag_key, tag_value, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT run_tags.run_id
FROM run_tags
WHERE run_tags.key = %s::VARCHAR AND run_tags.value = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- run_list_tagged_oldest_first(tag_key, tag_value, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs.trigger, runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT run_tags.run_id
FROM run_tags
WHERE run_tags.key = %s::VARCHAR AND run_tags.value = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR runs.job IN (SELECT CAST(each_jobs.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_jobs)) AND (%s::VARCHAR IS NULL OR runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR runs.trigger IN (SELECT CAST(each_triggers.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_triggers)) AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) AND (%s::VARCHAR IS NULL OR runs.origin = %s::VARCHAR) AND (%s::VARCHAR IS NULL OR runs.partition = %s::VARCHAR) AND (%s::BIGINT IS NULL OR runs.parent_run = %s::BIGINT) AND (%s::BIGINT IS NULL OR runs.backfill_id = %s::BIGINT) AND (%s::INTEGER = 0 OR runs.parent_run IS NULL) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at >= CAST(%s AS DOUBLE PRECISION)) AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR runs.created_at < CAST(%s AS DOUBLE PRECISION)) AND (%s::VARCHAR IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags.key || '=' || run_tags.value) IN (SELECT CAST(each_tags.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_tags)) = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(runs.job) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.error) LIKE %s::VARCHAR ESCAPE '\' OR lower(runs.params) LIKE %s::VARCHAR ESCAPE '\') AND runs.id > %s::BIGINT AND runs.id < %s::BIGINT ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- first_run_since(since)
SELECT runs.id
FROM runs
WHERE runs.created_at >= %s ORDER BY runs.created_at
 LIMIT 1 OFFSET 0;

-- run_states_after(after, locations, locations)
SELECT runs.state, count(*) AS count_1
FROM runs
WHERE runs.id > %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) GROUP BY runs.state;

-- open_run_states(locations, locations)
SELECT runs.state, count(*) AS count_1
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND (%s::VARCHAR IS NULL OR runs.location IN (SELECT CAST(each_locations.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_locations)) GROUP BY runs.state;

-- recent_of_job(job, location, location, before, limit)
SELECT runs.id, runs.state, runs.created_at, runs.started_at, runs.finished_at, runs.partition, runs.logical_at, runs.trigger
FROM runs
WHERE runs.job = %s::VARCHAR AND (%s::VARCHAR IS NULL OR runs.location = %s::VARCHAR) AND runs.id < %s::BIGINT ORDER BY runs.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- recent_of_jobs(jobs_listed, limit)
SELECT found.id, found.state, found.created_at, found.started_at, found.finished_at, found.partition, found.logical_at, found.trigger, found.job
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_job JOIN LATERAL (SELECT own.id AS id, own.state AS state, own.created_at AS created_at, own.started_at AS started_at, own.finished_at AS finished_at, own.partition AS partition, own.logical_at AS logical_at, own.trigger AS trigger, own.job AS job
FROM runs AS own
WHERE own.job = each_job.value ORDER BY own.id DESC
 LIMIT %s::BIGINT OFFSET 0) AS found ON true ORDER BY found.id DESC;

-- run_days_of_job(job, after, location, location)
SELECT floor(coalesce(runs.logical_at, runs.created_at) / CAST(86400 AS NUMERIC)) AS day, runs.state, count(*) AS count_1, max(runs.id) AS max_1
FROM runs
WHERE runs.job = %s::VARCHAR AND runs.id > %s::BIGINT AND (%s::VARCHAR IS NULL OR runs.location = %s::VARCHAR) GROUP BY 1, runs.state ORDER BY 1;

-- task_grid(ids)
SELECT task_runs.run_id, task_runs.step, task_runs.state, count(*) AS count_1, min(task_runs.started_at) AS min_1, max(task_runs.finished_at) AS max_1, min(task_runs.no) AS min_2, max(task_runs.attempt) AS max_2
FROM task_runs
WHERE task_runs.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) GROUP BY task_runs.run_id, task_runs.step, task_runs.state;

-- task_bars(run_id, after_no, limit)
SELECT task_runs.no, task_runs.step, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at
FROM task_runs
WHERE task_runs.run_id = %s::BIGINT AND task_runs.no > %s::INTEGER ORDER BY task_runs.no
 LIMIT %s::BIGINT OFFSET 0;

-- task_list(run_id, after_no, states, states, steps, steps, kinds, kinds, text, text, text, text, limit)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = %s::BIGINT AND task_runs.no > %s::INTEGER AND (%s::VARCHAR IS NULL OR task_runs.state IN (SELECT CAST(each_states.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_states)) AND (%s::VARCHAR IS NULL OR task_runs.step IN (SELECT CAST(each_steps.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_steps)) AND (%s::VARCHAR IS NULL OR task_runs.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::VARCHAR IS NULL OR lower(task_runs.step) LIKE %s::VARCHAR ESCAPE '\' OR lower(task_runs.label) LIKE %s::VARCHAR ESCAPE '\' OR lower(task_runs.error) LIKE %s::VARCHAR ESCAPE '\') ORDER BY task_runs.no
 LIMIT %s::BIGINT OFFSET 0;

-- logged_tasks(run_id, after_no, limit)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = %s::BIGINT AND task_runs.no > %s::INTEGER AND (task_runs.logged IS true OR task_runs.state IN ('running', 'retrying', 'deferred')) ORDER BY task_runs.no
 LIMIT %s::BIGINT OFFSET 0;

-- events_listed(run_id, after_seq, kinds, kinds, task, task, text, text, limit)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.run_id = %s::BIGINT AND events.seq > %s::INTEGER AND (%s::VARCHAR IS NULL OR events.kind IN (SELECT CAST(each_kinds.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_kinds)) AND (%s::INTEGER IS NULL OR events.task = %s::INTEGER) AND (%s::VARCHAR IS NULL OR lower(events.data) LIKE %s::VARCHAR ESCAPE '\') ORDER BY events.seq
 LIMIT %s::BIGINT OFFSET 0;

-- partitions_made(asset)
SELECT asset_partitions.partition, asset_partitions.at, asset_partitions.run_id, asset_partitions.data_version
FROM asset_partitions
WHERE asset_partitions.asset = %s::VARCHAR ORDER BY asset_partitions.partition;

-- materializations_newest(before, assets, assets, limit)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.id < %s::BIGINT AND (%s::VARCHAR IS NULL OR materializations.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets)) ORDER BY materializations.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- last_number_of_check_results()
SELECT coalesce(max(check_results.id), 0) AS coalesce_1
FROM check_results;

-- checks_newest(assets, assets, check, check, is_passed, is_passed, text, text, text, text, after, before, limit)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE (%s::VARCHAR IS NULL OR check_results.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets)) AND (%s::VARCHAR IS NULL OR check_results.check_name = %s::VARCHAR) AND (CAST(%s AS BOOLEAN) IS NULL OR check_results.passed = CAST(%s AS BOOLEAN)) AND (%s::VARCHAR IS NULL OR lower(check_results.asset) LIKE %s::VARCHAR ESCAPE '\' OR lower(check_results.check_name) LIKE %s::VARCHAR ESCAPE '\' OR lower(check_results.description) LIKE %s::VARCHAR ESCAPE '\') AND check_results.id > %s::BIGINT AND check_results.id < %s::BIGINT ORDER BY check_results.id DESC
 LIMIT %s::BIGINT OFFSET 0;

-- checks_newest_oldest_first(assets, assets, check, check, is_passed, is_passed, text, text, text, text, after, before, limit)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE (%s::VARCHAR IS NULL OR check_results.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets)) AND (%s::VARCHAR IS NULL OR check_results.check_name = %s::VARCHAR) AND (CAST(%s AS BOOLEAN) IS NULL OR check_results.passed = CAST(%s AS BOOLEAN)) AND (%s::VARCHAR IS NULL OR lower(check_results.asset) LIKE %s::VARCHAR ESCAPE '\' OR lower(check_results.check_name) LIKE %s::VARCHAR ESCAPE '\' OR lower(check_results.description) LIKE %s::VARCHAR ESCAPE '\') AND check_results.id > %s::BIGINT AND check_results.id < %s::BIGINT ORDER BY check_results.id
 LIMIT %s::BIGINT OFFSET 0;

-- check_days(since, assets, assets, check, check)
SELECT check_results.asset, floor(check_results.at / CAST(86400 AS NUMERIC)) AS day, sum(CASE WHEN (CASE WHEN (check_results.outcome != '') THEN check_results.outcome WHEN (check_results.passed IS true) THEN 'passed' WHEN (check_results.blocking IS true) THEN 'failed' ELSE 'warned' END = 'passed') THEN 1 ELSE 0 END) AS passed, sum(CASE WHEN (CASE WHEN (check_results.outcome != '') THEN check_results.outcome WHEN (check_results.passed IS true) THEN 'passed' WHEN (check_results.blocking IS true) THEN 'failed' ELSE 'warned' END = 'warned') THEN 1 ELSE 0 END) AS warned, sum(CASE WHEN (CASE WHEN (check_results.outcome != '') THEN check_results.outcome WHEN (check_results.passed IS true) THEN 'passed' WHEN (check_results.blocking IS true) THEN 'failed' ELSE 'warned' END = 'failed') THEN 1 ELSE 0 END) AS failed, sum(CASE WHEN (CASE WHEN (check_results.outcome != '') THEN check_results.outcome WHEN (check_results.passed IS true) THEN 'passed' WHEN (check_results.blocking IS true) THEN 'failed' ELSE 'warned' END = 'unknown') THEN 1 ELSE 0 END) AS unknown
FROM check_results
WHERE check_results.at >= %s AND (%s::VARCHAR IS NULL OR check_results.asset IN (SELECT CAST(each_assets.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_assets)) AND (%s::VARCHAR IS NULL OR check_results.check_name = %s::VARCHAR) GROUP BY check_results.asset, 2;

-- put_accounts[name, kind, password, subject, title, roles, disabled, created_at, changed_at, changed_by]
INSERT INTO accounts (name, kind, password, subject, title, roles, disabled, created_at, changed_at, changed_by) SELECT r.name, r.kind, r.password, r.subject, r.title, r.roles, r.disabled, r.created_at, r.changed_at, r.changed_by
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(name TEXT, kind TEXT, password TEXT, subject TEXT, title TEXT, roles TEXT, disabled BOOLEAN, created_at DOUBLE PRECISION, changed_at DOUBLE PRECISION, changed_by TEXT) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, password = excluded.password, subject = excluded.subject, title = excluded.title, roles = excluded.roles, disabled = excluded.disabled, created_at = excluded.created_at, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- put_api_tokens[hash, account, title, roles, created_at, created_by, expires_at, revoked_at, used_at]
INSERT INTO api_tokens (hash, account, title, roles, created_at, created_by, expires_at, revoked_at, used_at) SELECT r.hash, r.account, r.title, r.roles, r.created_at, r.created_by, r.expires_at, r.revoked_at, r.used_at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(hash TEXT, account TEXT, title TEXT, roles TEXT, created_at DOUBLE PRECISION, created_by TEXT, expires_at DOUBLE PRECISION, revoked_at DOUBLE PRECISION, used_at DOUBLE PRECISION);

-- put_sessions[hash, account, created_at, expires_at, seen_at, client]
INSERT INTO sessions (hash, account, created_at, expires_at, seen_at, client) SELECT r.hash, r.account, r.created_at, r.expires_at, r.seen_at, r.client
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(hash TEXT, account TEXT, created_at DOUBLE PRECISION, expires_at DOUBLE PRECISION, seen_at DOUBLE PRECISION, client TEXT);

-- account(name)
SELECT accounts.name, accounts.kind, accounts.password, accounts.subject, accounts.title, accounts.roles, accounts.disabled, accounts.created_at, accounts.changed_at, accounts.changed_by
FROM accounts
WHERE accounts.name = %s::VARCHAR;

-- account_of_subject(subject)
SELECT accounts.name, accounts.kind, accounts.password, accounts.subject, accounts.title, accounts.roles, accounts.disabled, accounts.created_at, accounts.changed_at, accounts.changed_by
FROM accounts
WHERE accounts.subject = %s::VARCHAR;

-- all_accounts()
SELECT accounts.name, accounts.kind, accounts.password, accounts.subject, accounts.title, accounts.roles, accounts.disabled, accounts.created_at, accounts.changed_at, accounts.changed_by
FROM accounts ORDER BY accounts.name;

-- count_accounts()
SELECT count(*) AS count_1
FROM accounts;

-- delete_account(name)
DELETE FROM accounts WHERE accounts.name = %s::VARCHAR;

-- api_token(hash)
SELECT api_tokens.id, api_tokens.hash, api_tokens.account, api_tokens.title, api_tokens.roles, api_tokens.created_at, api_tokens.created_by, api_tokens.expires_at, api_tokens.revoked_at, api_tokens.used_at
FROM api_tokens
WHERE api_tokens.hash = %s::VARCHAR;

-- api_tokens_of(account, account)
SELECT api_tokens.id, api_tokens.hash, api_tokens.account, api_tokens.title, api_tokens.roles, api_tokens.created_at, api_tokens.created_by, api_tokens.expires_at, api_tokens.revoked_at, api_tokens.used_at
FROM api_tokens
WHERE %s::VARCHAR IS NULL OR api_tokens.account = %s::VARCHAR ORDER BY api_tokens.id;

-- revoke_api_token(at, of_id)
UPDATE api_tokens SET revoked_at=%s WHERE api_tokens.id = %s::BIGINT AND api_tokens.revoked_at IS NULL;

-- touch_api_token(at, of_id)
UPDATE api_tokens SET used_at=%s WHERE api_tokens.id = %s::BIGINT;

-- session(hash)
SELECT sessions.hash, sessions.account, sessions.created_at, sessions.expires_at, sessions.seen_at, sessions.client
FROM sessions
WHERE sessions.hash = %s::VARCHAR;

-- touch_session(at, of_hash)
UPDATE sessions SET seen_at=%s WHERE sessions.hash = %s::VARCHAR;

-- delete_session(hash)
DELETE FROM sessions WHERE sessions.hash = %s::VARCHAR;

-- delete_sessions_of(account)
DELETE FROM sessions WHERE sessions.account = %s::VARCHAR;

-- delete_old_sessions(cutoff)
DELETE FROM sessions WHERE sessions.expires_at < %s;

-- put_asset_definitions[key, location, data]
INSERT INTO asset_definitions (key, location, data) SELECT r.key, r.location, r.data
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(key TEXT, location TEXT, data TEXT) ON CONFLICT (key, location) DO UPDATE SET data = excluded.data;

-- put_dynamic_partitions[name, key, created_at]
INSERT INTO dynamic_partitions (name, key, created_at) SELECT r.name, r.key, r.created_at
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(name TEXT, key TEXT, created_at DOUBLE PRECISION) ON CONFLICT DO NOTHING;

-- partitions_named(name)
SELECT dynamic_partitions.key
FROM dynamic_partitions
WHERE dynamic_partitions.name = %s::VARCHAR ORDER BY dynamic_partitions.created_at, dynamic_partitions.key;

-- delete_partitions(name, keys)
DELETE FROM dynamic_partitions WHERE dynamic_partitions.name = %s::VARCHAR AND dynamic_partitions.key IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys);

-- all_definitions()
SELECT definitions.location, definitions.hash, definitions.data, definitions.loaded_at, definitions.error, definitions.problems
FROM definitions ORDER BY definitions.location;

-- definitions_at(location)
SELECT definitions.location, definitions.hash, definitions.data, definitions.loaded_at, definitions.error, definitions.problems
FROM definitions
WHERE definitions.location = %s::VARCHAR;

-- put_definitions(location, hash, data, loaded_at, error, problems)
INSERT INTO definitions (location, hash, data, loaded_at, error, problems) VALUES (%s::VARCHAR, %s::VARCHAR, %s, %s, %s::VARCHAR, %s::VARCHAR) ON CONFLICT (location) DO UPDATE SET hash = excluded.hash, data = excluded.data, loaded_at = excluded.loaded_at, error = excluded.error, problems = excluded.problems;

-- touch_definitions(at, new_error, new_problems, of_location)
UPDATE definitions SET loaded_at=%s, error=%s::VARCHAR, problems=%s::VARCHAR WHERE definitions.location = %s::VARCHAR;

-- delete_definitions(location)
DELETE FROM definitions WHERE definitions.location = %s::VARCHAR;

-- assets_defined(location, location)
SELECT asset_definitions.key, asset_definitions.location, asset_definitions.data
FROM asset_definitions
WHERE %s::VARCHAR IS NULL OR asset_definitions.location = %s::VARCHAR ORDER BY asset_definitions.key, asset_definitions.location;

-- asset_defined(keys)
SELECT asset_definitions.key, asset_definitions.location, asset_definitions.data
FROM asset_definitions
WHERE asset_definitions.key IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys) ORDER BY asset_definitions.key, asset_definitions.location;

-- delete_asset_definitions(location, keys)
DELETE FROM asset_definitions WHERE asset_definitions.location = %s::VARCHAR AND asset_definitions.key IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys);

-- get_meta(key)
SELECT meta.value
FROM meta
WHERE meta.key = %s::VARCHAR;

-- put_meta(key, value)
INSERT INTO meta (key, value) VALUES (%s::VARCHAR, %s::VARCHAR) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- get_revision()
SELECT batuta_revision.version_num
FROM batuta_revision;

-- put_revision(version_num)
INSERT INTO batuta_revision (version_num) VALUES (%s::VARCHAR);

-- count_accounts()
SELECT count(*) AS count_1
FROM accounts;

-- count_alerts()
SELECT count(*) AS count_1
FROM alerts;

-- count_artifacts()
SELECT count(*) AS count_1
FROM artifacts;

-- count_asset_code()
SELECT count(*) AS count_1
FROM asset_code;

-- count_asset_columns()
SELECT count(*) AS count_1
FROM asset_columns;

-- count_asset_partitions()
SELECT count(*) AS count_1
FROM asset_partitions;

-- count_asset_usage()
SELECT count(*) AS count_1
FROM asset_usage;

-- count_audit()
SELECT count(*) AS count_1
FROM audit;

-- count_backfills()
SELECT count(*) AS count_1
FROM backfills;

-- count_batuta_revision()
SELECT count(*) AS count_1
FROM batuta_revision;

-- count_check_results()
SELECT count(*) AS count_1
FROM check_results;

-- count_checks_current()
SELECT count(*) AS count_1
FROM checks_current;

-- count_connections()
SELECT count(*) AS count_1
FROM connections;

-- count_definition_versions()
SELECT count(*) AS count_1
FROM definition_versions;

-- count_definitions()
SELECT count(*) AS count_1
FROM definitions;

-- count_dynamic_partitions()
SELECT count(*) AS count_1
FROM dynamic_partitions;

-- count_environments()
SELECT count(*) AS count_1
FROM environments;

-- count_evaluations()
SELECT count(*) AS count_1
FROM evaluations;

-- count_events()
SELECT count(*) AS count_1
FROM events;

-- count_external_datasets()
SELECT count(*) AS count_1
FROM external_datasets;

-- count_external_edges()
SELECT count(*) AS count_1
FROM external_edges;

-- count_external_jobs()
SELECT count(*) AS count_1
FROM external_jobs;

-- count_external_runs()
SELECT count(*) AS count_1
FROM external_runs;

-- count_leaders()
SELECT count(*) AS count_1
FROM leaders;

-- count_materializations()
SELECT count(*) AS count_1
FROM materializations;

-- count_meta()
SELECT count(*) AS count_1
FROM meta;

-- count_plans()
SELECT count(*) AS count_1
FROM plans;

-- count_pool_holds()
SELECT count(*) AS count_1
FROM pool_holds;

-- count_pools()
SELECT count(*) AS count_1
FROM pools;

-- count_processes()
SELECT count(*) AS count_1
FROM processes;

-- count_pruned_runs()
SELECT count(*) AS count_1
FROM pruned_runs;

-- count_rate_starts()
SELECT count(*) AS count_1
FROM rate_starts;

-- count_run_keys()
SELECT count(*) AS count_1
FROM run_keys;

-- count_signals()
SELECT count(*) AS count_1
FROM signals;

-- count_source_files()
SELECT count(*) AS count_1
FROM source_files;

-- count_sources()
SELECT count(*) AS count_1
FROM sources;

-- count_task_cache()
SELECT count(*) AS count_1
FROM task_cache;

-- count_task_runs()
SELECT count(*) AS count_1
FROM task_runs;

-- count_tickers()
SELECT count(*) AS count_1
FROM tickers;

-- count_ticks()
SELECT count(*) AS count_1
FROM ticks;

-- count_variables()
SELECT count(*) AS count_1
FROM variables;

-- count_alert_deliveries()
SELECT count(*) AS count_1
FROM alert_deliveries;

-- count_api_tokens()
SELECT count(*) AS count_1
FROM api_tokens;

-- count_asset_definitions()
SELECT count(*) AS count_1
FROM asset_definitions;

-- count_backfill_items()
SELECT count(*) AS count_1
FROM backfill_items;

-- count_environment_checks()
SELECT count(*) AS count_1
FROM environment_checks;

-- count_environment_partitions()
SELECT count(*) AS count_1
FROM environment_partitions;

-- count_runs()
SELECT count(*) AS count_1
FROM runs;

-- count_sessions()
SELECT count(*) AS count_1
FROM sessions;

-- count_run_requests()
SELECT count(*) AS count_1
FROM run_requests;

-- count_run_tags()
SELECT count(*) AS count_1
FROM run_tags;

-- put_source_files[location, version, file, at, hash]
INSERT INTO source_files (location, version, file, at, hash) SELECT r.location, r.version, r.file, r.at, r.hash
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(location TEXT, version TEXT, file TEXT, at DOUBLE PRECISION, hash TEXT) ON CONFLICT DO NOTHING;

-- lock_sources()
SELECT pg_advisory_xact_lock(7089350519846) AS pg_advisory_xact_lock_1;

-- put_source(hash, data)
INSERT INTO sources (hash, data) VALUES (%s::VARCHAR, %s) ON CONFLICT DO NOTHING;

-- newest_sources(location, version)
SELECT source_files.file, source_files.hash
FROM source_files
WHERE source_files.location = %s::VARCHAR AND source_files.version = %s::VARCHAR AND (SELECT min(later.at) AS min_1
FROM source_files AS later
WHERE later.location = source_files.location AND later.version = source_files.version AND later.file = source_files.file AND later.at > source_files.at) IS NULL;

-- source_at(location, version, file, at, at)
SELECT sources.data
FROM sources JOIN source_files ON source_files.hash = sources.hash
WHERE source_files.location = %s::VARCHAR AND source_files.version = %s::VARCHAR AND source_files.file = %s::VARCHAR AND (CAST(%s AS DOUBLE PRECISION) IS NULL OR source_files.at <= CAST(%s AS DOUBLE PRECISION)) ORDER BY source_files.at DESC
 LIMIT 1 OFFSET 0;

-- first_source(location, version, file)
SELECT sources.data
FROM sources JOIN source_files ON source_files.hash = sources.hash
WHERE source_files.location = %s::VARCHAR AND source_files.version = %s::VARCHAR AND source_files.file = %s::VARCHAR ORDER BY source_files.at
 LIMIT 1 OFFSET 0;

-- delete_source_files(cutoff, limit)
DELETE FROM source_files WHERE (source_files.location, source_files.version, source_files.file, source_files.at) IN (SELECT source_files.location, source_files.version, source_files.file, source_files.at
FROM source_files
WHERE source_files.at < %s AND NOT ((SELECT min(later.at) AS min_1
FROM source_files AS later
WHERE later.location = source_files.location AND later.version = source_files.version AND later.file = source_files.file AND later.at > source_files.at) IS NULL AND (EXISTS (SELECT *
FROM definitions
WHERE definitions.location = source_files.location AND definitions.hash = source_files.version))) AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.version = source_files.version AND runs.location = source_files.location AND ((SELECT min(later.at) AS min_1
FROM source_files AS later
WHERE later.location = source_files.location AND later.version = source_files.version AND later.file = source_files.file AND later.at > source_files.at) IS NULL OR runs.created_at >= source_files.at AND runs.created_at < (SELECT min(later.at) AS min_1
FROM source_files AS later
WHERE later.location = source_files.location AND later.version = source_files.version AND later.file = source_files.file AND later.at > source_files.at)))) ORDER BY source_files.location, source_files.version, source_files.file, source_files.at
 LIMIT %s::BIGINT OFFSET 0);

-- unused_sources(limit)
SELECT sources.hash
FROM sources
WHERE NOT (EXISTS (SELECT *
FROM source_files
WHERE source_files.hash = sources.hash)) ORDER BY sources.hash
 LIMIT %s::BIGINT OFFSET 0;

-- delete_sources(hashes)
DELETE FROM sources WHERE sources.hash IN (SELECT CAST(each_hashes.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_hashes);

-- prunable_runs(cutoff, after, keep_less_one, keep_less_one, limit)
SELECT runs.id
FROM runs
WHERE runs.state IN ('succeeded', 'failed', 'cancelled') AND runs.finished_at < %s AND runs.id > %s::BIGINT AND NOT (EXISTS (SELECT *
FROM runs AS parent
WHERE parent.id = runs.parent_run)) AND (runs.parent_run IS NOT NULL OR %s::INTEGER < 0 OR (EXISTS (SELECT newer.id
FROM runs AS newer
WHERE newer.job = runs.job AND newer.id > runs.id AND newer.parent_run IS NULL ORDER BY newer.id
 LIMIT 1 OFFSET %s::INTEGER))) ORDER BY runs.id
 LIMIT %s::BIGINT OFFSET 0;

-- still_prunable(ids, cutoff)
SELECT runs.id
FROM runs
WHERE runs.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) AND runs.state IN ('succeeded', 'failed', 'cancelled') AND runs.finished_at < %s ORDER BY runs.id FOR UPDATE;

-- put_pruned[run_id]
INSERT INTO pruned_runs (run_id) SELECT r.run_id
FROM json_to_recordset(CAST(%s::VARCHAR AS JSON)) AS r(run_id BIGINT) ON CONFLICT DO NOTHING;

-- delete_runs(ids)
DELETE FROM runs WHERE runs.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- delete_pruned_events(ids, limit)
DELETE FROM events WHERE events.id IN (SELECT events.id
FROM events
WHERE events.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids)
 LIMIT %s::BIGINT OFFSET 0);

-- delete_pruned_task_runs(ids, limit)
DELETE FROM task_runs WHERE (task_runs.run_id, task_runs.no) IN (SELECT task_runs.run_id, task_runs.no
FROM task_runs
WHERE task_runs.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids)
 LIMIT %s::BIGINT OFFSET 0);

-- delete_pruned_materializations(ids, limit)
DELETE FROM materializations WHERE materializations.id IN (SELECT materializations.id
FROM materializations
WHERE materializations.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids)
 LIMIT %s::BIGINT OFFSET 0);

-- delete_pruned_check_results(ids, limit)
DELETE FROM check_results WHERE check_results.id IN (SELECT check_results.id
FROM check_results
WHERE check_results.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids)
 LIMIT %s::BIGINT OFFSET 0);

-- delete_pruned_artifacts(ids, limit)
DELETE FROM artifacts WHERE artifacts.id IN (SELECT artifacts.id
FROM artifacts
WHERE artifacts.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids)
 LIMIT %s::BIGINT OFFSET 0);

-- all_pruned(limit)
SELECT pruned_runs.run_id
FROM pruned_runs ORDER BY pruned_runs.run_id
 LIMIT %s::BIGINT OFFSET 0;

-- delete_pruned(ids)
DELETE FROM pruned_runs WHERE pruned_runs.run_id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) AND NOT ((EXISTS (SELECT *
FROM events
WHERE events.run_id = pruned_runs.run_id)) OR (EXISTS (SELECT *
FROM task_runs
WHERE task_runs.run_id = pruned_runs.run_id)) OR (EXISTS (SELECT *
FROM materializations
WHERE materializations.run_id = pruned_runs.run_id)) OR (EXISTS (SELECT *
FROM check_results
WHERE check_results.run_id = pruned_runs.run_id)) OR (EXISTS (SELECT *
FROM artifacts
WHERE artifacts.run_id = pruned_runs.run_id)));

-- unused_plans(after, limit)
SELECT plans.hash
FROM plans
WHERE plans.hash > %s::VARCHAR AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.plan_hash = plans.hash)) ORDER BY plans.hash
 LIMIT %s::BIGINT OFFSET 0;

-- delete_plans(hashes)
DELETE FROM plans WHERE plans.hash IN (SELECT CAST(each_hashes.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_hashes) AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.plan_hash = plans.hash));

-- stale_cache(after, now, limit)
SELECT task_cache.key, task_cache.run_id
FROM task_cache
WHERE task_cache.key > %s::VARCHAR AND (task_cache.expires_at <= %s OR NOT (EXISTS (SELECT *
FROM runs
WHERE runs.id = task_cache.run_id))) ORDER BY task_cache.key
 LIMIT %s::BIGINT OFFSET 0;

-- delete_cache(keys, runs)
DELETE FROM task_cache WHERE task_cache.key IN (SELECT CAST(each_keys.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_keys) AND task_cache.run_id IN (SELECT CAST(each_runs.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_runs);

-- oldest_ticks(limit)
SELECT ticks.id, ticks.at
FROM ticks ORDER BY ticks.id
 LIMIT %s::BIGINT OFFSET 0;

-- delete_ticks(ids)
DELETE FROM ticks WHERE ticks.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- oldest_signals(limit)
SELECT signals.id, signals.at
FROM signals ORDER BY signals.id
 LIMIT %s::BIGINT OFFSET 0;

-- delete_signals(ids)
DELETE FROM signals WHERE signals.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- oldest_audit(limit)
SELECT audit.id, audit.at
FROM audit ORDER BY audit.id
 LIMIT %s::BIGINT OFFSET 0;

-- delete_audit(ids)
DELETE FROM audit WHERE audit.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids);

-- old_alerts(cutoff, limit)
SELECT alerts.id
FROM alerts
WHERE alerts.last_at < %s ORDER BY alerts.id
 LIMIT %s::BIGINT OFFSET 0;

-- delete_alerts(ids, cutoff)
DELETE FROM alerts WHERE alerts.id IN (SELECT CAST(each_ids.value AS BIGINT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_ids) AND alerts.last_at < %s;

-- old_backfills(cutoff, limit)
SELECT backfills.id
FROM backfills
WHERE backfills.finished_at < %s ORDER BY backfills.id
 LIMIT %s::BIGINT OFFSET 0;

-- delete_backfill_items(of_backfill, limit)
DELETE FROM backfill_items WHERE (backfill_items.backfill_id, backfill_items.no) IN (SELECT backfill_items.backfill_id, backfill_items.no
FROM backfill_items
WHERE backfill_items.backfill_id = %s::BIGINT ORDER BY backfill_items.no
 LIMIT %s::BIGINT OFFSET 0);

-- delete_backfill(of_backfill)
DELETE FROM backfills WHERE backfills.id = %s::BIGINT;

-- unused_versions(cutoff, limit)
SELECT definition_versions.hash
FROM definition_versions
WHERE definition_versions.loaded_at < %s AND NOT (EXISTS (SELECT *
FROM definitions
WHERE definitions.location = definition_versions.location AND definitions.hash = definition_versions.hash)) AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.version = definition_versions.hash)) ORDER BY definition_versions.hash
 LIMIT %s::BIGINT OFFSET 0;

-- delete_versions(hashes, cutoff)
DELETE FROM definition_versions WHERE definition_versions.hash IN (SELECT CAST(each_hashes.value AS TEXT) AS value
FROM json_array_elements_text(CAST(%s::VARCHAR AS JSON)) AS each_hashes) AND definition_versions.loaded_at < %s;

-- delete_processes(cutoff)
DELETE FROM processes WHERE processes.seen_at < %s;
