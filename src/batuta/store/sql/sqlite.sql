-- put_runs[id, job, kind, plan_hash, location, state, params, tags, config, trigger, logical_at, interval_start, interval_end, partition, parent_run, parent_task, priority, seed, created_at, started_at, finished_at, error, epoch, owner, lease_until, seq, version, origin, concurrency_key, deadline_at, backfill_id]
INSERT INTO runs (id, job, kind, plan_hash, location, state, params, tags, config, "trigger", logical_at, interval_start, interval_end, partition, parent_run, parent_task, priority, seed, created_at, started_at, finished_at, error, epoch, owner, lease_until, seq, version, origin, concurrency_key, deadline_at, backfill_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- put_run_tags[key, value, run_id]
INSERT INTO run_tags ("key", value, run_id) VALUES (?, ?, ?);

-- put_events[run_id, seq, kind, at, task, data]
INSERT INTO events (run_id, seq, kind, at, task, data) VALUES (?, ?, ?, ?, ?, ?);

-- put_task_runs[run_id, no, step, task, kind, map_index, label, state, attempt, started_at, finished_at, worker, reason, error, output, logged]
INSERT INTO task_runs (run_id, no, step, task, kind, map_index, label, state, attempt, started_at, finished_at, worker, reason, error, output, logged) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, no) DO UPDATE SET step = excluded.step, task = excluded.task, kind = excluded.kind, map_index = excluded.map_index, label = excluded.label, state = excluded.state, attempt = excluded.attempt, started_at = excluded.started_at, finished_at = excluded.finished_at, worker = excluded.worker, reason = excluded.reason, error = excluded.error, output = excluded.output, logged = excluded.logged;

-- put_materializations[asset, partition, run_id, task, at, data_version, code_version, inputs, metadata]
INSERT INTO materializations (asset, partition, run_id, task, at, data_version, code_version, inputs, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- put_asset_partitions[asset, partition, run_id, task, at, data_version, code_version, inputs, metadata]
INSERT INTO asset_partitions (asset, partition, run_id, task, at, data_version, code_version, inputs, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (asset, partition) DO UPDATE SET run_id = excluded.run_id, task = excluded.task, at = excluded.at, data_version = excluded.data_version, code_version = excluded.code_version, inputs = excluded.inputs, metadata = excluded.metadata;

-- put_check_results[asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome]
INSERT INTO check_results (asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- put_checks_current[asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome]
INSERT INTO checks_current (asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (asset, check_name, partition) DO UPDATE SET run_id = excluded.run_id, task = excluded.task, at = excluded.at, passed = excluded.passed, blocking = excluded.blocking, description = excluded.description, metadata = excluded.metadata, outcome = excluded.outcome;

-- put_cache[key, output, run_id, created_at, expires_at]
INSERT INTO task_cache ("key", output, run_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT ("key") DO UPDATE SET output = excluded.output, run_id = excluded.run_id, created_at = excluded.created_at, expires_at = excluded.expires_at;

-- update_runs[state, started_at, finished_at, error, seq, key_id, key_epoch]
UPDATE runs SET state=?, started_at=?, finished_at=?, error=?, seq=? WHERE runs.id = ? AND runs.epoch = ?;

-- epochs(ids)
SELECT runs.id, runs.epoch
FROM runs
WHERE runs.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- put_plan(hash, data)
INSERT INTO plans (hash, data) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- known_plans(hashes)
SELECT plans.hash
FROM plans
WHERE plans.hash IN (SELECT each_hashes.value
FROM json_each(?) AS each_hashes);

-- reserve_run_ids(count)
WITH RECURSIVE "before" AS
(SELECT coalesce(max(sqlite_sequence.seq), 0) AS last
FROM sqlite_sequence
WHERE sqlite_sequence.name = 'runs'),
ids(id) AS
(SELECT "before".last + 1 AS id
FROM "before" UNION ALL SELECT ids.id + 1 AS anon_1
FROM ids JOIN "before" ON 1 = 1
WHERE ids.id < "before".last + ?)
 SELECT ids.id
FROM ids;

-- claim_run(new_owner, until, run_id, now, new_owner, force)
UPDATE runs SET epoch=(runs.epoch + 1), owner=?, lease_until=? WHERE runs.id = ? AND (runs.lease_until <= ? OR runs.owner = ? OR runs.state IN ('succeeded', 'failed', 'cancelled') OR ? = 1);

-- renew_runs(until, by, ids)
UPDATE runs SET lease_until=? WHERE runs.owner = ? AND runs.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- owned_runs(by, ids)
SELECT runs.id
FROM runs
WHERE runs.owner = ? AND runs.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- release_runs(by, ids)
UPDATE runs SET owner='', lease_until=0 WHERE runs.owner = ? AND runs.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- put_run_requests[run_id, kind, data, by, at]
INSERT INTO run_requests (run_id, kind, data, "by", at) VALUES (?, ?, ?, ?, ?);

-- requests_to(ids)
SELECT run_requests.id, run_requests.run_id, run_requests.kind, run_requests.data, run_requests."by", run_requests.at
FROM run_requests
WHERE run_requests.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) ORDER BY run_requests.id;

-- requests_to_idle(now)
SELECT run_requests.id, run_requests.run_id, run_requests.kind, run_requests.data, run_requests."by", run_requests.at
FROM run_requests JOIN runs ON runs.id = run_requests.run_id
WHERE runs.state IN ('succeeded', 'failed', 'cancelled') OR runs.owner = '' OR runs.lease_until <= ? ORDER BY run_requests.id;

-- delete_requests(ids)
DELETE FROM run_requests WHERE run_requests.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- run(run_id)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id = ?;

-- runs_newest(before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id < ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job = ?) AND (? IS NULL OR runs.kind = ?) AND (? IS NULL OR runs."trigger" = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.parent_task = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- runs_of_job(job, before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.job = ? AND runs.id < ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job = ?) AND (? IS NULL OR runs.kind = ?) AND (? IS NULL OR runs."trigger" = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.parent_task = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- runs_in_state(state, before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.state = ? AND runs.id < ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job = ?) AND (? IS NULL OR runs.kind = ?) AND (? IS NULL OR runs."trigger" = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.parent_task = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- runs_of_parent(parent_run, before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.parent_run = ? AND runs.id < ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job = ?) AND (? IS NULL OR runs.kind = ?) AND (? IS NULL OR runs."trigger" = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.parent_task = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- runs_tagged(tag_key, tag_value, before, states, states, job, job, kind, kind, trigger, trigger, partition, partition, parent_run, parent_run, parent_task, parent_task, roots_only, since, since, tags, tags, tag_count, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT run_tags.run_id
FROM run_tags
WHERE run_tags."key" = ? AND run_tags.value = ?) AND runs.id < ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job = ?) AND (? IS NULL OR runs.kind = ?) AND (? IS NULL OR runs."trigger" = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.parent_task = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- last_run_id()
SELECT coalesce(max(runs.id), 0) AS coalesce_1
FROM runs;

-- latest_runs(jobs, jobs)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT max(runs.id) AS max_1
FROM runs
WHERE ? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs) GROUP BY runs.job) ORDER BY runs.job;

-- run_counts(jobs, jobs)
SELECT runs.job, runs.state, count(*) AS count_1
FROM runs
WHERE ? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs) GROUP BY runs.job, runs.state;

-- resumable_runs(now)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND runs.lease_until <= ? ORDER BY runs.id;

-- unfinished_children(run_id)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.parent_run = ? AND runs.state IN ('queued', 'running', 'paused', 'cancelling') ORDER BY runs.id;

-- plan(hash)
SELECT plans.data
FROM plans
WHERE plans.hash = ?;

-- events_of_run(run_id, after_seq, limit)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.run_id = ? AND events.seq > ? ORDER BY events.seq
 LIMIT ? OFFSET 0;

-- events_since(after_id, limit)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.id > ? ORDER BY events.id
 LIMIT ? OFFSET 0;

-- last_event_id()
SELECT coalesce(max(events.id), 0) AS coalesce_1
FROM events;

-- task_runs_of_run(run_id, after_no, states, states, step, step, limit)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = ? AND task_runs.no > ? AND (? IS NULL OR task_runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR task_runs.step = ?) ORDER BY task_runs.no
 LIMIT ? OFFSET 0;

-- task_runs_noteworthy(state, before_run, limit)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE state IN ('running', 'retrying', 'deferred', 'paused', 'failed') AND task_runs.state = ? AND task_runs.run_id < ? ORDER BY task_runs.run_id DESC, task_runs.no
 LIMIT ? OFFSET 0;

-- task_run_by_no(run_id, no)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = ? AND task_runs.no = ?;

-- task_run_by_key(run_id, key, base, map_index, label)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = ? AND (task_runs.step = ? OR task_runs.step = ? AND (task_runs.map_index = ? OR task_runs.label = ?)) ORDER BY task_runs.no
 LIMIT 1 OFFSET 0;

-- task_counts(ids)
SELECT task_runs.run_id, task_runs.state, count(*) AS count_1
FROM task_runs
WHERE task_runs.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) GROUP BY task_runs.run_id, task_runs.state;

-- cached(key, now)
SELECT task_cache."key", task_cache.output, task_cache.run_id, task_cache.created_at, task_cache.expires_at
FROM task_cache
WHERE task_cache."key" = ? AND (task_cache.expires_at IS NULL OR task_cache.expires_at > ?);

-- forget_cached(key)
DELETE FROM task_cache WHERE task_cache."key" = ?;

-- asset_states()
SELECT asset_partitions.asset, asset_partitions.partition, asset_partitions.run_id, asset_partitions.task, asset_partitions.at, asset_partitions.data_version, asset_partitions.code_version, asset_partitions.inputs, asset_partitions.metadata, 0
FROM asset_partitions;

-- asset_states_of(assets)
SELECT asset_partitions.asset, asset_partitions.partition, asset_partitions.run_id, asset_partitions.task, asset_partitions.at, asset_partitions.data_version, asset_partitions.code_version, asset_partitions.inputs, asset_partitions.metadata, 0
FROM asset_partitions
WHERE asset_partitions.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets);

-- current_checks()
SELECT checks_current.asset, checks_current.check_name, checks_current.partition, checks_current.run_id, checks_current.task, checks_current.at, checks_current.passed, checks_current.blocking, checks_current.description, checks_current.metadata, checks_current.outcome, 0
FROM checks_current;

-- current_checks_of(assets)
SELECT checks_current.asset, checks_current.check_name, checks_current.partition, checks_current.run_id, checks_current.task, checks_current.at, checks_current.passed, checks_current.blocking, checks_current.description, checks_current.metadata, checks_current.outcome, 0
FROM checks_current
WHERE checks_current.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets);

-- materializations_of_asset(asset, before, limit)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.asset = ? AND materializations.id < ? ORDER BY materializations.id DESC
 LIMIT ? OFFSET 0;

-- materializations_of_partition(asset, partition, before, limit)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.asset = ? AND materializations.partition = ? AND materializations.id < ? ORDER BY materializations.id DESC
 LIMIT ? OFFSET 0;

-- materializations_of_run(run_id)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.run_id = ? ORDER BY materializations.id;

-- check_results_of_asset(asset, check, check, partition, partition, before, limit)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE check_results.asset = ? AND (? IS NULL OR check_results.check_name = ?) AND (? IS NULL OR check_results.partition = ?) AND check_results.id < ? ORDER BY check_results.id DESC
 LIMIT ? OFFSET 0;

-- check_results_of_run(run_id)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE check_results.run_id = ? ORDER BY check_results.id;

-- put_run_keys[scope, key, run_id, at]
INSERT INTO run_keys (scope, "key", run_id, at) VALUES (?, ?, ?, ?);

-- keys_taken(scope, keys)
SELECT run_keys."key", run_keys.run_id
FROM run_keys
WHERE run_keys.scope = ? AND run_keys."key" IN (SELECT each_keys.value
FROM json_each(?) AS each_keys);

-- delete_run_keys(cutoff, limit)
DELETE FROM run_keys WHERE (run_keys.scope, run_keys."key") IN (SELECT run_keys.scope, run_keys."key"
FROM run_keys
WHERE run_keys.at < ? ORDER BY run_keys.at
 LIMIT ? OFFSET 0);

-- put_ticks[kind, location, name, at, ended_at, logical_at, outcome, reason, runs, cursor, data]
INSERT INTO ticks (kind, location, name, at, ended_at, logical_at, outcome, reason, runs, cursor, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- put_tickers[kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at]
INSERT INTO tickers (kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, location, name) DO UPDATE SET cursor = excluded.cursor, state = excluded.state, failures = excluded.failures, next_at = excluded.next_at, ticked_at = excluded.ticked_at;

-- put_switches[kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at]
INSERT INTO tickers (kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, location, name) DO UPDATE SET enabled = excluded.enabled, changed_at = excluded.changed_at;

-- set_ticker_cursor(new_cursor, at, of_kind, of_location, of_name)
UPDATE tickers SET cursor=?, state='', failures=0, next_at=NULL, changed_at=? WHERE tickers.kind = ? AND tickers.location = ? AND tickers.name = ?;

-- all_tickers(kind, kind, location, location)
SELECT tickers.kind, tickers.location, tickers.name, tickers.enabled, tickers.cursor, tickers.state, tickers.failures, tickers.next_at, tickers.ticked_at, tickers.changed_at
FROM tickers
WHERE (? IS NULL OR tickers.kind = ?) AND (? IS NULL OR tickers.location = ?) ORDER BY tickers.kind, tickers.location, tickers.name;

-- tickers_switched(of_kind)
SELECT tickers.location, tickers.name, tickers.enabled, tickers.changed_at
FROM tickers
WHERE tickers.kind = ? AND tickers.changed_at > 0;

-- delete_ticker(kind, location, name)
DELETE FROM tickers WHERE tickers.kind = ? AND tickers.location = ? AND tickers.name = ?;

-- last_number_of_ticks()
SELECT coalesce(max(ticks.id), 0) AS coalesce_1
FROM ticks;

-- tick_list(kinds, kinds, locations, locations, name, name, outcomes, outcomes, text, text, text, after, before, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE (? IS NULL OR ticks.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR ticks.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR ticks.name = ?) AND (? IS NULL OR ticks.outcome IN (SELECT each_outcomes.value
FROM json_each(?) AS each_outcomes)) AND (? IS NULL OR lower(ticks.name) LIKE ? ESCAPE '\' OR lower(ticks.reason) LIKE ? ESCAPE '\') AND ticks.id > ? AND ticks.id < ? ORDER BY ticks.id DESC
 LIMIT ? OFFSET 0;

-- tick_list_oldest_first(kinds, kinds, locations, locations, name, name, outcomes, outcomes, text, text, text, after, before, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE (? IS NULL OR ticks.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR ticks.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR ticks.name = ?) AND (? IS NULL OR ticks.outcome IN (SELECT each_outcomes.value
FROM json_each(?) AS each_outcomes)) AND (? IS NULL OR lower(ticks.name) LIKE ? ESCAPE '\' OR lower(ticks.reason) LIKE ? ESCAPE '\') AND ticks.id > ? AND ticks.id < ? ORDER BY ticks.id
 LIMIT ? OFFSET 0;

-- tick_list_of_one(of_kind, of_location, of_name, kinds, kinds, locations, locations, name, name, outcomes, outcomes, text, text, text, after, before, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE ticks.kind = ? AND ticks.location = ? AND ticks.name = ? AND (? IS NULL OR ticks.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR ticks.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR ticks.name = ?) AND (? IS NULL OR ticks.outcome IN (SELECT each_outcomes.value
FROM json_each(?) AS each_outcomes)) AND (? IS NULL OR lower(ticks.name) LIKE ? ESCAPE '\' OR lower(ticks.reason) LIKE ? ESCAPE '\') AND ticks.id > ? AND ticks.id < ? ORDER BY ticks.id DESC
 LIMIT ? OFFSET 0;

-- tick_list_of_one_oldest_first(of_kind, of_location, of_name, kinds, kinds, locations, locations, name, name, outcomes, outcomes, text, text, text, after, before, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE ticks.kind = ? AND ticks.location = ? AND ticks.name = ? AND (? IS NULL OR ticks.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR ticks.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR ticks.name = ?) AND (? IS NULL OR ticks.outcome IN (SELECT each_outcomes.value
FROM json_each(?) AS each_outcomes)) AND (? IS NULL OR lower(ticks.name) LIKE ? ESCAPE '\' OR lower(ticks.reason) LIKE ? ESCAPE '\') AND ticks.id > ? AND ticks.id < ? ORDER BY ticks.id
 LIMIT ? OFFSET 0;

-- queued_runs(each_max, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT placed.id
FROM (SELECT runs.id AS id, row_number() OVER (PARTITION BY runs.location, runs.job, runs.concurrency_key ORDER BY runs.priority DESC, runs.id) AS place
FROM runs
WHERE runs.state = 'queued' AND runs.owner = '') AS placed
WHERE placed.place <= ?) ORDER BY runs.priority DESC, runs.id
 LIMIT ? OFFSET 0;

-- any_queued()
SELECT runs.id
FROM runs
WHERE runs.state = 'queued' AND runs.owner = ''
 LIMIT 1 OFFSET 0;

-- open_runs()
SELECT runs.id, runs.job, runs.location, runs.state, runs.tags, runs.concurrency_key, runs.owner, runs.lease_until, runs.origin, runs."trigger", runs.config, runs.backfill_id, runs.started_at, runs.deadline_at
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND (runs.state != 'queued' OR runs.owner != '') ORDER BY runs.id;

-- unfinished_of(of_trigger)
SELECT runs.id, runs.location, runs.origin
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND runs."trigger" = ? ORDER BY runs.id;

-- put_rate_starts[name, at]
INSERT INTO rate_starts (name, at) VALUES (?, ?);

-- starts_of_rates(names, since)
SELECT rate_starts.name, rate_starts.at
FROM rate_starts
WHERE rate_starts.name IN (SELECT each_names.value
FROM json_each(?) AS each_names) AND rate_starts.at > ? ORDER BY rate_starts.at;

-- delete_rate_starts(of_name, upto)
DELETE FROM rate_starts WHERE rate_starts.name = ? AND rate_starts.at <= ?;

-- claim_queued(new_owner, until, ids)
UPDATE runs SET epoch=(runs.epoch + 1), owner=?, lease_until=? WHERE runs.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) AND runs.state = 'queued' AND runs.owner = '' RETURNING id, job, kind, plan_hash, location, state, params, tags, config, "trigger", logical_at, interval_start, interval_end, partition, parent_run, parent_task, priority, seed, created_at, started_at, finished_at, error, epoch, owner, lease_until, seq, version, origin, concurrency_key, deadline_at, backfill_id;

-- runs_listed(ids)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) ORDER BY runs.id;

-- take_lead(name, owner, until, instead_of, now)
INSERT INTO leaders (name, owner, until, epoch) VALUES (?, ?, ?, 1) ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until, epoch = CASE WHEN (leaders.owner = excluded.owner) THEN leaders.epoch ELSE leaders.epoch + 1 END WHERE leaders.owner IN (excluded.owner, ?) OR leaders.until <= ?;

-- leader(name)
SELECT leaders.name, leaders.owner, leaders.until, leaders.epoch
FROM leaders
WHERE leaders.name = ?;

-- leader_held(name)
SELECT leaders.name, leaders.owner, leaders.until, leaders.epoch
FROM leaders
WHERE leaders.name = ?;

-- give_up_lead(of_name, of_owner)
UPDATE leaders SET until=0 WHERE leaders.name = ? AND leaders.owner = ?;

-- touch_process(id, kind, host, pid, started_at, seen_at, info)
INSERT INTO processes (id, kind, host, pid, started_at, seen_at, info) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, info = excluded.info;

-- all_processes(since)
SELECT processes.id, processes.kind, processes.host, processes.pid, processes.started_at, processes.seen_at, processes.info
FROM processes
WHERE processes.seen_at >= ? ORDER BY processes.started_at;

-- delete_process(id)
DELETE FROM processes WHERE processes.id = ?;

-- keep_definition_version(location, hash, data, loaded_at)
INSERT INTO definition_versions (location, hash, data, loaded_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- definition_version(location, hash)
SELECT definition_versions.data
FROM definition_versions
WHERE definition_versions.location = ? AND definition_versions.hash = ?;

-- all_pools()
SELECT pools.name, pools.slots, pools.description, pools.changed_at, pools.changed_by
FROM pools ORDER BY pools.name;

-- put_pool(name, slots, description, changed_at, changed_by)
INSERT INTO pools (name, slots, description, changed_at, changed_by) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, description = excluded.description, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- delete_pool(name)
DELETE FROM pools WHERE pools.name = ?;

-- put_pool_holds[run_id, task, pool, slots, owner]
INSERT INTO pool_holds (run_id, task, pool, slots, owner) VALUES (?, ?, ?, ?, ?) ON CONFLICT (run_id, task, pool) DO UPDATE SET slots = excluded.slots, owner = excluded.owner;

-- pool_use()
SELECT pool_holds.pool, sum(pool_holds.slots) AS sum_1
FROM pool_holds GROUP BY pool_holds.pool;

-- delete_pool_hold(run_id, task, owner)
DELETE FROM pool_holds WHERE pool_holds.run_id = ? AND pool_holds.task = ? AND pool_holds.owner = ?;

-- delete_left_holds()
DELETE FROM pool_holds WHERE NOT (EXISTS (SELECT *
FROM runs
WHERE runs.id = pool_holds.run_id AND runs.owner = pool_holds.owner AND runs.state IN ('queued', 'running', 'paused', 'cancelling')));

-- put_deliveries[alert_id, channel, step, state, attempt, next_at, sent_at, error]
INSERT INTO alert_deliveries (alert_id, channel, step, state, attempt, next_at, sent_at, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- open_alerts()
SELECT alerts.id, alerts.rule, alerts."key", alerts.kind, alerts.severity, alerts.title, alerts.body, alerts.data, alerts.count, alerts.at, alerts.last_at, alerts.resolved_at
FROM alerts
WHERE alerts.resolved_at IS NULL ORDER BY alerts.id;

-- open_alert_count()
SELECT count(*) AS count_1
FROM alerts
WHERE alerts.resolved_at IS NULL;

-- settled_alerts(ids)
SELECT alerts.id
FROM alerts
WHERE alerts.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) AND alerts.resolved_at IS NULL;

-- put_alert(rule, key, kind, severity, title, body, data, count, at, last_at, resolved_at)
INSERT INTO alerts (rule, "key", kind, severity, title, body, data, count, at, last_at, resolved_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id;

-- update_alert(new_severity, new_title, new_body, new_data, new_count, new_last_at, new_resolved_at, of_id)
UPDATE alerts SET severity=?, title=?, body=?, data=?, count=?, last_at=?, resolved_at=coalesce(alerts.resolved_at, ?) WHERE alerts.id = ?;

-- last_number_of_alerts()
SELECT coalesce(max(alerts.id), 0) AS coalesce_1
FROM alerts;

-- alerts_listed(rules, rules, kinds, kinds, severities, severities, is_open, is_open, text, text, text, text, after, before, limit)
SELECT alerts.id, alerts.rule, alerts."key", alerts.kind, alerts.severity, alerts.title, alerts.body, alerts.data, alerts.count, alerts.at, alerts.last_at, alerts.resolved_at
FROM alerts
WHERE (? IS NULL OR alerts.rule IN (SELECT each_rules.value
FROM json_each(?) AS each_rules)) AND (? IS NULL OR alerts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR alerts.severity IN (SELECT each_severities.value
FROM json_each(?) AS each_severities)) AND (CAST(? AS BOOLEAN) IS NULL OR (alerts.resolved_at IS NULL) = CAST(? AS BOOLEAN)) AND (? IS NULL OR lower(alerts.rule) LIKE ? ESCAPE '\' OR lower(alerts.title) LIKE ? ESCAPE '\' OR lower(alerts.body) LIKE ? ESCAPE '\') AND alerts.id > ? AND alerts.id < ? ORDER BY alerts.id DESC
 LIMIT ? OFFSET 0;

-- alerts_listed_oldest_first(rules, rules, kinds, kinds, severities, severities, is_open, is_open, text, text, text, text, after, before, limit)
SELECT alerts.id, alerts.rule, alerts."key", alerts.kind, alerts.severity, alerts.title, alerts.body, alerts.data, alerts.count, alerts.at, alerts.last_at, alerts.resolved_at
FROM alerts
WHERE (? IS NULL OR alerts.rule IN (SELECT each_rules.value
FROM json_each(?) AS each_rules)) AND (? IS NULL OR alerts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR alerts.severity IN (SELECT each_severities.value
FROM json_each(?) AS each_severities)) AND (CAST(? AS BOOLEAN) IS NULL OR (alerts.resolved_at IS NULL) = CAST(? AS BOOLEAN)) AND (? IS NULL OR lower(alerts.rule) LIKE ? ESCAPE '\' OR lower(alerts.title) LIKE ? ESCAPE '\' OR lower(alerts.body) LIKE ? ESCAPE '\') AND alerts.id > ? AND alerts.id < ? ORDER BY alerts.id
 LIMIT ? OFFSET 0;

-- alert_by_id(id)
SELECT alerts.id, alerts.rule, alerts."key", alerts.kind, alerts.severity, alerts.title, alerts.body, alerts.data, alerts.count, alerts.at, alerts.last_at, alerts.resolved_at
FROM alerts
WHERE alerts.id = ?;

-- deliveries_of(ids)
SELECT alert_deliveries.id, alert_deliveries.alert_id, alert_deliveries.channel, alert_deliveries.step, alert_deliveries.state, alert_deliveries.attempt, alert_deliveries.next_at, alert_deliveries.sent_at, alert_deliveries.error
FROM alert_deliveries
WHERE alert_deliveries.alert_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) ORDER BY alert_deliveries.id;

-- due_deliveries(now, channel, limit)
SELECT alert_deliveries.id, alert_deliveries.alert_id, alert_deliveries.channel, alert_deliveries.step, alert_deliveries.state, alert_deliveries.attempt, alert_deliveries.next_at, alert_deliveries.sent_at, alert_deliveries.error
FROM alert_deliveries
WHERE alert_deliveries.state IN ('waiting', 'unsure', 'sending') AND alert_deliveries.next_at <= ? AND alert_deliveries.channel = ? ORDER BY alert_deliveries.id
 LIMIT ? OFFSET 0;

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
 LIMIT ? OFFSET 0;

-- begin_delivery(until, of_id, seen)
UPDATE alert_deliveries SET state='sending', attempt=(alert_deliveries.attempt + 1), next_at=? WHERE alert_deliveries.id = ? AND alert_deliveries.attempt = ? AND alert_deliveries.state IN ('waiting', 'unsure', 'sending');

-- reopen_deliveries(now)
UPDATE alert_deliveries SET state='unsure', next_at=? WHERE alert_deliveries.state = 'sending';

-- end_delivery(new_state, again_at, at, new_error, of_id, of_attempt)
UPDATE alert_deliveries SET state=?, next_at=?, sent_at=?, error=? WHERE alert_deliveries.id = ? AND alert_deliveries.attempt = ? AND alert_deliveries.state = 'sending';

-- events_of_kinds(after_id, upto_id, kinds, limit)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.id > ? AND events.id <= ? AND events.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds) ORDER BY events.id
 LIMIT ? OFFSET 0;

-- run_ends(run_id, before_seq)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.run_id = ? AND events.seq < ? AND events.kind = 'run_finished' ORDER BY events.seq DESC;

-- ticks_after(after_id, kind, kind, limit)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE ticks.id > ? AND (? IS NULL OR ticks.kind = ?) ORDER BY ticks.id
 LIMIT ? OFFSET 0;

-- last_tick_id()
SELECT coalesce(max(ticks.id), 0) AS coalesce_1
FROM ticks;

-- oldest_queued()
SELECT runs.created_at
FROM runs
WHERE runs.state = 'queued' ORDER BY runs.id
 LIMIT 1 OFFSET 0;

-- put_artifacts[run_id, task, name, kind, title, media_type, size, progress, content, attempt, job, location, at]
INSERT INTO artifacts (run_id, task, name, kind, title, media_type, size, progress, content, attempt, job, location, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, task, name) DO UPDATE SET kind = excluded.kind, title = excluded.title, media_type = excluded.media_type, size = excluded.size, progress = excluded.progress, content = excluded.content, attempt = excluded.attempt, job = excluded.job, location = excluded.location, at = excluded.at;

-- artifact(artifact_id)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.id = ?;

-- last_number_of_artifacts()
SELECT coalesce(max(artifacts.id), 0) AS coalesce_1
FROM artifacts;

-- artifacts_all(task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE (? IS NULL OR artifacts.task = ?) AND (? IS NULL OR artifacts.job = ?) AND (? IS NULL OR artifacts.name = ?) AND (? IS NULL OR artifacts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR artifacts.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(artifacts.name) LIKE ? ESCAPE '\' OR lower(artifacts.title) LIKE ? ESCAPE '\' OR lower(artifacts.job) LIKE ? ESCAPE '\') AND artifacts.id > ? AND artifacts.id < ? ORDER BY artifacts.id DESC
 LIMIT ? OFFSET 0;

-- artifacts_all_oldest_first(task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE (? IS NULL OR artifacts.task = ?) AND (? IS NULL OR artifacts.job = ?) AND (? IS NULL OR artifacts.name = ?) AND (? IS NULL OR artifacts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR artifacts.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(artifacts.name) LIKE ? ESCAPE '\' OR lower(artifacts.title) LIKE ? ESCAPE '\' OR lower(artifacts.job) LIKE ? ESCAPE '\') AND artifacts.id > ? AND artifacts.id < ? ORDER BY artifacts.id
 LIMIT ? OFFSET 0;

-- artifacts_of_run(of_run, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.run_id = ? AND (? IS NULL OR artifacts.task = ?) AND (? IS NULL OR artifacts.job = ?) AND (? IS NULL OR artifacts.name = ?) AND (? IS NULL OR artifacts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR artifacts.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(artifacts.name) LIKE ? ESCAPE '\' OR lower(artifacts.title) LIKE ? ESCAPE '\' OR lower(artifacts.job) LIKE ? ESCAPE '\') AND artifacts.id > ? AND artifacts.id < ? ORDER BY artifacts.id DESC
 LIMIT ? OFFSET 0;

-- artifacts_of_run_oldest_first(of_run, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.run_id = ? AND (? IS NULL OR artifacts.task = ?) AND (? IS NULL OR artifacts.job = ?) AND (? IS NULL OR artifacts.name = ?) AND (? IS NULL OR artifacts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR artifacts.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(artifacts.name) LIKE ? ESCAPE '\' OR lower(artifacts.title) LIKE ? ESCAPE '\' OR lower(artifacts.job) LIKE ? ESCAPE '\') AND artifacts.id > ? AND artifacts.id < ? ORDER BY artifacts.id
 LIMIT ? OFFSET 0;

-- artifacts_of_job(of_job, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.job = ? AND (? IS NULL OR artifacts.task = ?) AND (? IS NULL OR artifacts.job = ?) AND (? IS NULL OR artifacts.name = ?) AND (? IS NULL OR artifacts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR artifacts.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(artifacts.name) LIKE ? ESCAPE '\' OR lower(artifacts.title) LIKE ? ESCAPE '\' OR lower(artifacts.job) LIKE ? ESCAPE '\') AND artifacts.id > ? AND artifacts.id < ? ORDER BY artifacts.id DESC
 LIMIT ? OFFSET 0;

-- artifacts_of_job_oldest_first(of_job, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.job = ? AND (? IS NULL OR artifacts.task = ?) AND (? IS NULL OR artifacts.job = ?) AND (? IS NULL OR artifacts.name = ?) AND (? IS NULL OR artifacts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR artifacts.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(artifacts.name) LIKE ? ESCAPE '\' OR lower(artifacts.title) LIKE ? ESCAPE '\' OR lower(artifacts.job) LIKE ? ESCAPE '\') AND artifacts.id > ? AND artifacts.id < ? ORDER BY artifacts.id
 LIMIT ? OFFSET 0;

-- artifacts_named(named, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.name = ? AND (? IS NULL OR artifacts.task = ?) AND (? IS NULL OR artifacts.job = ?) AND (? IS NULL OR artifacts.name = ?) AND (? IS NULL OR artifacts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR artifacts.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(artifacts.name) LIKE ? ESCAPE '\' OR lower(artifacts.title) LIKE ? ESCAPE '\' OR lower(artifacts.job) LIKE ? ESCAPE '\') AND artifacts.id > ? AND artifacts.id < ? ORDER BY artifacts.id DESC
 LIMIT ? OFFSET 0;

-- artifacts_named_oldest_first(named, task, task, job, job, name, name, kinds, kinds, locations, locations, text, text, text, text, after, before, limit)
SELECT artifacts.id, artifacts.run_id, artifacts.task, artifacts.name, artifacts.kind, artifacts.title, artifacts.media_type, artifacts.size, artifacts.progress, artifacts.content, artifacts.attempt, artifacts.job, artifacts.location, artifacts.at
FROM artifacts
WHERE artifacts.name = ? AND (? IS NULL OR artifacts.task = ?) AND (? IS NULL OR artifacts.job = ?) AND (? IS NULL OR artifacts.name = ?) AND (? IS NULL OR artifacts.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR artifacts.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(artifacts.name) LIKE ? ESCAPE '\' OR lower(artifacts.title) LIKE ? ESCAPE '\' OR lower(artifacts.job) LIKE ? ESCAPE '\') AND artifacts.id > ? AND artifacts.id < ? ORDER BY artifacts.id
 LIMIT ? OFFSET 0;

-- put_evaluations[location, what, data, asked_by, at, until, taken_by, answer]
INSERT INTO evaluations (location, what, data, asked_by, at, until, taken_by, answer) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- last_evaluation(of_location, by, at)
SELECT max(evaluations.id) AS max_1
FROM evaluations
WHERE evaluations.location = ? AND evaluations.asked_by = ? AND evaluations.at = ?;

-- evaluation_answer(number)
SELECT evaluations.answer
FROM evaluations
WHERE evaluations.id = ?;

-- evaluations_waiting(now)
SELECT evaluations.id, evaluations.location, evaluations.what, evaluations.data, evaluations.asked_by, evaluations.at, evaluations.until, evaluations.taken_by, evaluations.answer
FROM evaluations
WHERE evaluations.taken_by = '' AND evaluations.until > ? ORDER BY evaluations.id;

-- take_evaluation(new_owner, number)
UPDATE evaluations SET taken_by=? WHERE evaluations.id = ? AND evaluations.taken_by = '';

-- answer_evaluation(given, number)
UPDATE evaluations SET answer=? WHERE evaluations.id = ?;

-- delete_evaluation(number)
DELETE FROM evaluations WHERE evaluations.id = ?;

-- old_evaluations(cutoff)
SELECT evaluations.id
FROM evaluations
WHERE evaluations.until < ?
 LIMIT 1 OFFSET 0;

-- delete_old_evaluations(cutoff)
DELETE FROM evaluations WHERE evaluations.until < ?;

-- put_signals[name, at, data, sent_by]
INSERT INTO signals (name, at, data, sent_by) VALUES (?, ?, ?, ?);

-- signals_after(name, after_id, limit)
SELECT signals.id, signals.name, signals.at, signals.data, signals.sent_by
FROM signals
WHERE signals.name = ? AND signals.id > ? ORDER BY signals.id
 LIMIT ? OFFSET 0;

-- signals_among(keys, after, limit)
SELECT signals.id, signals.name, signals.at, signals.data, signals.sent_by
FROM signals
WHERE signals.name IN (SELECT each_keys.value
FROM json_each(?) AS each_keys) AND signals.at > ? ORDER BY signals.id
 LIMIT ? OFFSET 0;

-- last_signal_id()
SELECT coalesce(max(signals.id), 0) AS coalesce_1
FROM signals;

-- put_backfills[location, job, selection, state, config, params, tags, created_by, created_at, finished_at, error]
INSERT INTO backfills (location, job, selection, state, config, params, tags, created_by, created_at, finished_at, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- put_backfill_items[backfill_id, no, label, partitions, logical_at, state, attempt, run_id, error]
INSERT INTO backfill_items (backfill_id, no, label, partitions, logical_at, state, attempt, run_id, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- last_backfill_id()
SELECT coalesce(max(backfills.id), 0) AS coalesce_1
FROM backfills;

-- backfill(of_backfill)
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE backfills.id = ?;

-- backfill_held(of_backfill)
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE backfills.id = ?;

-- last_number_of_backfills()
SELECT coalesce(max(backfills.id), 0) AS coalesce_1
FROM backfills;

-- backfills_page(job, job, states, states, locations, locations, text, text, text, text, text, after, before, limit)
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE (? IS NULL OR backfills.job = ?) AND (? IS NULL OR backfills.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR backfills.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(backfills.job) LIKE ? ESCAPE '\' OR lower(backfills.selection) LIKE ? ESCAPE '\' OR lower(backfills.created_by) LIKE ? ESCAPE '\' OR lower(backfills.error) LIKE ? ESCAPE '\') AND backfills.id > ? AND backfills.id < ? ORDER BY backfills.id DESC
 LIMIT ? OFFSET 0;

-- backfills_page_oldest_first(job, job, states, states, locations, locations, text, text, text, text, text, after, before, limit)
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE (? IS NULL OR backfills.job = ?) AND (? IS NULL OR backfills.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR backfills.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR lower(backfills.job) LIKE ? ESCAPE '\' OR lower(backfills.selection) LIKE ? ESCAPE '\' OR lower(backfills.created_by) LIKE ? ESCAPE '\' OR lower(backfills.error) LIKE ? ESCAPE '\') AND backfills.id > ? AND backfills.id < ? ORDER BY backfills.id
 LIMIT ? OFFSET 0;

-- open_backfills()
SELECT backfills.id, backfills.location, backfills.job, backfills.selection, backfills.state, backfills.config, backfills.params, backfills.tags, backfills.created_by, backfills.created_at, backfills.finished_at, backfills.error
FROM backfills
WHERE backfills.state IN ('running', 'paused', 'cancelling') ORDER BY backfills.id;

-- backfill_counts(ids)
SELECT backfill_items.backfill_id, backfill_items.state, count(*) AS count_1
FROM backfill_items
WHERE backfill_items.backfill_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) GROUP BY backfill_items.backfill_id, backfill_items.state;

-- backfill_items_page(of_backfill, after, states, states, text, text, text, limit)
SELECT backfill_items.backfill_id, backfill_items.no, backfill_items.label, backfill_items.partitions, backfill_items.logical_at, backfill_items.state, backfill_items.attempt, backfill_items.run_id, backfill_items.error
FROM backfill_items
WHERE backfill_items.backfill_id = ? AND backfill_items.no > ? AND (? IS NULL OR backfill_items.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR lower(backfill_items.label) LIKE ? ESCAPE '\' OR lower(backfill_items.error) LIKE ? ESCAPE '\') ORDER BY backfill_items.no
 LIMIT ? OFFSET 0;

-- backfill_items_ended(of_backfill, limit)
SELECT backfill_items.no, backfill_items.attempt, backfill_items.run_id, runs.state, runs.error
FROM backfill_items JOIN runs ON runs.id = backfill_items.run_id
WHERE backfill_items.backfill_id = ? AND backfill_items.state = 'submitted' AND runs.state IN ('succeeded', 'failed', 'cancelled') ORDER BY backfill_items.no
 LIMIT ? OFFSET 0;

-- backfill_items_lost(of_backfill, limit)
SELECT backfill_items.no, backfill_items.attempt, backfill_items.run_id
FROM backfill_items
WHERE backfill_items.backfill_id = ? AND backfill_items.state = 'submitted' AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.id = backfill_items.run_id)) ORDER BY backfill_items.no
 LIMIT ? OFFSET 0;

-- backfill_runs_open(of_backfill)
SELECT backfill_items.run_id
FROM backfill_items
WHERE backfill_items.backfill_id = ? AND backfill_items.state = 'submitted' ORDER BY backfill_items.no;

-- update_backfill_items[state, attempt, run_id, error, key_backfill_id, key_no]
UPDATE backfill_items SET state=?, attempt=?, run_id=?, error=? WHERE backfill_items.backfill_id = ? AND backfill_items.no = ?;

-- set_backfill_state(new_state, ended_at, new_error, of_backfill)
UPDATE backfills SET state=?, finished_at=?, error=? WHERE backfills.id = ?;

-- cancel_waiting_items(of_backfill)
UPDATE backfill_items SET state='cancelled' WHERE backfill_items.backfill_id = ? AND backfill_items.state = 'waiting';

-- retry_backfill_items(of_backfill, states)
UPDATE backfill_items SET state='waiting', attempt=(backfill_items.attempt + 1), run_id=NULL, error='' WHERE backfill_items.backfill_id = ? AND backfill_items.state IN (SELECT each_states.value
FROM json_each(?) AS each_states);

-- materializations_since(after_id, limit)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.id > ? ORDER BY materializations.id
 LIMIT ? OFFSET 0;

-- check_results_since(after_id, limit)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE check_results.id > ? ORDER BY check_results.id
 LIMIT ? OFFSET 0;

-- last_asset_ids()
SELECT coalesce((SELECT max(materializations.id) AS max_1
FROM materializations), 0) AS coalesce_1, coalesce((SELECT max(check_results.id) AS max_2
FROM check_results), 0) AS coalesce_2;

-- unfinished_asset_runs()
SELECT runs.id, runs.plan_hash
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND runs.kind = 'assets' AND NOT (EXISTS (SELECT *
FROM run_tags
WHERE run_tags."key" = 'batuta/environment' AND run_tags.run_id = runs.id)) ORDER BY runs.id;

-- switched_tickers(kind)
SELECT tickers.location, tickers.name, tickers.enabled
FROM tickers
WHERE tickers.kind = ? AND tickers.enabled IS NOT NULL;

-- latest_ticks(kind)
SELECT ticks.id, ticks.kind, ticks.location, ticks.name, ticks.at, ticks.ended_at, ticks.logical_at, ticks.outcome, ticks.reason, ticks.runs, ticks.cursor, ticks.data
FROM ticks
WHERE ticks.id IN (SELECT max(ticks.id) AS max_1
FROM ticks
WHERE ticks.kind = ? GROUP BY ticks.location, ticks.name) ORDER BY ticks.location, ticks.name;

-- put_asset_usage[asset, kind, reader, day, reads, last_at, last_run]
INSERT INTO asset_usage (asset, kind, reader, day, reads, last_at, last_run) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (asset, kind, reader, day) DO UPDATE SET reads = (asset_usage.reads + excluded.reads), last_at = excluded.last_at, last_run = excluded.last_run;

-- usage_totals(since, assets, assets)
SELECT asset_usage.asset, sum(asset_usage.reads) AS sum_1, count(DISTINCT (asset_usage.kind || ' ' || asset_usage.reader)) AS count_1, max(asset_usage.last_at) AS max_1
FROM asset_usage
WHERE asset_usage.day >= ? AND (? IS NULL OR asset_usage.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets)) GROUP BY asset_usage.asset;

-- usage_readers(asset, since, limit)
SELECT asset_usage.kind, asset_usage.reader, sum(asset_usage.reads) AS sum_1, max(asset_usage.last_at) AS max_1, max(asset_usage.last_run) AS max_2
FROM asset_usage
WHERE asset_usage.asset = ? AND asset_usage.day >= ? GROUP BY asset_usage.kind, asset_usage.reader ORDER BY sum(asset_usage.reads) DESC, asset_usage.kind, asset_usage.reader
 LIMIT ? OFFSET 0;

-- usage_days(asset, since)
SELECT asset_usage.day, sum(asset_usage.reads) AS sum_1
FROM asset_usage
WHERE asset_usage.asset = ? AND asset_usage.day >= ? GROUP BY asset_usage.day ORDER BY asset_usage.day;

-- delete_asset_usage(cutoff)
DELETE FROM asset_usage WHERE asset_usage.day < ?;

-- metadata_before(asset, partition, limit)
SELECT asset_partitions.partition, asset_partitions.at, asset_partitions.metadata
FROM asset_partitions
WHERE asset_partitions.asset = ? AND asset_partitions.partition < ? ORDER BY asset_partitions.partition DESC
 LIMIT ? OFFSET 0;

-- verdicts_before(asset, check, partition, limit)
SELECT checks_current.partition, checks_current.at, checks_current.metadata
FROM checks_current
WHERE checks_current.asset = ? AND checks_current.check_name = ? AND checks_current.partition < ? ORDER BY checks_current.partition DESC
 LIMIT ? OFFSET 0;

-- put_asset_columns[asset, source, hash, columns, lineage, run_id, at]
INSERT INTO asset_columns (asset, source, hash, columns, lineage, run_id, at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (asset, source) DO UPDATE SET hash = excluded.hash, columns = excluded.columns, lineage = excluded.lineage, run_id = excluded.run_id, at = excluded.at;

-- asset_columns_since(since)
SELECT asset_columns.asset, asset_columns.source, asset_columns.hash, asset_columns.columns, asset_columns.lineage, asset_columns.run_id, asset_columns.at
FROM asset_columns
WHERE asset_columns.at >= ? ORDER BY asset_columns.asset, asset_columns.source;

-- asset_columns_of(assets)
SELECT asset_columns.asset, asset_columns.source, asset_columns.hash, asset_columns.columns, asset_columns.lineage, asset_columns.run_id, asset_columns.at
FROM asset_columns
WHERE asset_columns.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets) ORDER BY asset_columns.asset, asset_columns.source;

-- asset_columns_newest()
SELECT coalesce(max(asset_columns.at), 0) AS coalesce_1, count(*) AS count_1
FROM asset_columns;

-- delete_asset_columns(source, assets)
DELETE FROM asset_columns WHERE asset_columns.source = ? AND asset_columns.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets);

-- put_asset_code[asset, code_version, code, run_id, at]
INSERT INTO asset_code (asset, code_version, code, run_id, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- asset_code_of(assets)
SELECT asset_code.asset, asset_code.code_version, asset_code.code
FROM asset_code
WHERE asset_code.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets);

-- unused_code(cutoff, limit)
SELECT asset_code.asset, asset_code.code_version
FROM asset_code
WHERE asset_code.at < ? AND NOT (EXISTS (SELECT *
FROM asset_partitions
WHERE asset_partitions.asset = asset_code.asset AND asset_partitions.code_version = asset_code.code_version)) AND NOT (EXISTS (SELECT *
FROM environment_partitions
WHERE environment_partitions.asset = asset_code.asset AND environment_partitions.code_version = asset_code.code_version)) ORDER BY asset_code.asset, asset_code.code_version
 LIMIT ? OFFSET 0;

-- delete_asset_code(asset, code_version)
DELETE FROM asset_code WHERE asset_code.asset = ? AND asset_code.code_version = ?;

-- put_environments[name, description, created_at, created_by]
INSERT INTO environments (name, description, created_at, created_by) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- put_environment_partitions[environment, asset, partition, run_id, task, at, data_version, code_version, inputs, metadata]
INSERT INTO environment_partitions (environment, asset, partition, run_id, task, at, data_version, code_version, inputs, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (environment, asset, partition) DO UPDATE SET run_id = excluded.run_id, task = excluded.task, at = excluded.at, data_version = excluded.data_version, code_version = excluded.code_version, inputs = excluded.inputs, metadata = excluded.metadata;

-- put_environment_checks[environment, asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome]
INSERT INTO environment_checks (environment, asset, check_name, partition, run_id, task, at, passed, blocking, description, metadata, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (environment, asset, check_name, partition) DO UPDATE SET run_id = excluded.run_id, task = excluded.task, at = excluded.at, passed = excluded.passed, blocking = excluded.blocking, description = excluded.description, metadata = excluded.metadata, outcome = excluded.outcome;

-- all_environments()
SELECT environments.name, environments.description, environments.created_at, environments.created_by, count(DISTINCT environment_partitions.asset) AS count_1, count(environment_partitions.asset) AS count_2, coalesce(max(environment_partitions.at), 0) AS coalesce_1
FROM environments LEFT OUTER JOIN environment_partitions ON environment_partitions.environment = environments.name GROUP BY environments.name, environments.description, environments.created_at, environments.created_by ORDER BY environments.name;

-- environment_states(environment, assets, assets)
SELECT environment_partitions.asset, environment_partitions.partition, environment_partitions.run_id, environment_partitions.task, environment_partitions.at, environment_partitions.data_version, environment_partitions.code_version, environment_partitions.inputs, environment_partitions.metadata, 0
FROM environment_partitions
WHERE environment_partitions.environment = ? AND (? IS NULL OR environment_partitions.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets));

-- environment_states_of_run(run_id)
SELECT environment_partitions.asset, environment_partitions.partition, environment_partitions.run_id, environment_partitions.task, environment_partitions.at, environment_partitions.data_version, environment_partitions.code_version, environment_partitions.inputs, environment_partitions.metadata, 0
FROM environment_partitions
WHERE environment_partitions.run_id = ?;

-- environment_verdicts_of_run(run_id)
SELECT environment_checks.asset, environment_checks.check_name, environment_checks.partition, environment_checks.run_id, environment_checks.task, environment_checks.at, environment_checks.passed, environment_checks.blocking, environment_checks.description, environment_checks.metadata, environment_checks.outcome, 0
FROM environment_checks
WHERE environment_checks.run_id = ?;

-- environment_verdicts(environment)
SELECT environment_checks.asset, environment_checks.check_name, environment_checks.partition, environment_checks.run_id, environment_checks.task, environment_checks.at, environment_checks.passed, environment_checks.blocking, environment_checks.description, environment_checks.metadata, environment_checks.outcome, 0
FROM environment_checks
WHERE environment_checks.environment = ?;

-- environments_with(asset, partition, code_version)
SELECT environment_partitions.environment, environment_partitions.asset, environment_partitions.partition, environment_partitions.run_id, environment_partitions.task, environment_partitions.at, environment_partitions.data_version, environment_partitions.code_version, environment_partitions.inputs, environment_partitions.metadata, 0
FROM environment_partitions
WHERE environment_partitions.asset = ? AND environment_partitions.partition = ? AND environment_partitions.code_version = ? ORDER BY environment_partitions.at DESC;

-- delete_environment(name)
DELETE FROM environments WHERE environments.name = ?;

-- delete_environments[name]
DELETE FROM environments WHERE environments.name = ?;

-- delete_environment_asset(environment, asset)
DELETE FROM environment_partitions WHERE environment_partitions.environment = ? AND environment_partitions.asset = ?;

-- put_external_jobs[key, namespace, name, data, since, last_at, heard_at]
INSERT INTO external_jobs ("key", namespace, name, data, since, last_at, heard_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT ("key") DO UPDATE SET namespace = excluded.namespace, name = excluded.name, data = excluded.data, since = excluded.since, last_at = excluded.last_at, heard_at = excluded.heard_at;

-- put_external_runs[run_id, job, state, parent, began_at, last_at, data, heard_at]
INSERT INTO external_runs (run_id, job, state, parent, began_at, last_at, data, heard_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id) DO UPDATE SET job = excluded.job, state = excluded.state, parent = excluded.parent, began_at = excluded.began_at, last_at = excluded.last_at, data = excluded.data, heard_at = excluded.heard_at;

-- put_external_datasets[key, namespace, name, data, last_at, heard_at]
INSERT INTO external_datasets ("key", namespace, name, data, last_at, heard_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT ("key") DO UPDATE SET namespace = excluded.namespace, name = excluded.name, data = excluded.data, last_at = excluded.last_at, heard_at = excluded.heard_at;

-- put_external_edges[job, direction, dataset, at]
INSERT INTO external_edges (job, direction, dataset, at) VALUES (?, ?, ?, ?) ON CONFLICT (job, direction, dataset) DO UPDATE SET at = excluded.at;

-- external_jobs_of(keys)
SELECT external_jobs."key", external_jobs.data
FROM external_jobs
WHERE external_jobs."key" IN (SELECT each_keys.value
FROM json_each(?) AS each_keys);

-- external_jobs_since(since)
SELECT external_jobs."key", external_jobs.data
FROM external_jobs
WHERE external_jobs.heard_at >= ?;

-- external_jobs_newest()
SELECT coalesce(max(external_jobs.heard_at), 0) AS coalesce_1, count(*) AS count_1
FROM external_jobs;

-- external_datasets_of(keys)
SELECT external_datasets."key", external_datasets.data
FROM external_datasets
WHERE external_datasets."key" IN (SELECT each_keys.value
FROM json_each(?) AS each_keys);

-- external_datasets_since(since)
SELECT external_datasets."key", external_datasets.data
FROM external_datasets
WHERE external_datasets.heard_at >= ?;

-- external_datasets_newest()
SELECT coalesce(max(external_datasets.heard_at), 0) AS coalesce_1, count(*) AS count_1
FROM external_datasets;

-- external_runs_of(ids)
SELECT external_runs.run_id, external_runs.data
FROM external_runs
WHERE external_runs.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- external_edges_of(jobs)
SELECT external_edges.job, external_edges.direction, external_edges.dataset, external_edges.at
FROM external_edges
WHERE external_edges.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs);

-- external_edges_now()
SELECT external_edges.job, external_edges.direction, external_edges.dataset
FROM external_edges JOIN external_jobs ON external_jobs."key" = external_edges.job
WHERE external_edges.at >= external_jobs.since ORDER BY external_edges.job, external_edges.direction, external_edges.dataset;

-- external_runs_page(began_at, after_id, job, job, parent, parent, limit)
SELECT external_runs.run_id, external_runs.data
FROM external_runs
WHERE (external_runs.began_at, external_runs.run_id) < (?, ?) AND (? IS NULL OR external_runs.job = ?) AND (? IS NULL OR external_runs.parent = ?) ORDER BY external_runs.began_at DESC, external_runs.run_id DESC
 LIMIT ? OFFSET 0;

-- external_states(job)
SELECT external_runs.state, count(*) AS count_1
FROM external_runs
WHERE external_runs.job = ? GROUP BY external_runs.state;

-- old_external_runs(cutoff, limit)
SELECT external_runs.run_id
FROM external_runs
WHERE external_runs.heard_at < ? ORDER BY external_runs.heard_at
 LIMIT ? OFFSET 0;

-- delete_external_runs(ids, cutoff)
DELETE FROM external_runs WHERE external_runs.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) AND external_runs.heard_at < ?;

-- old_external_jobs(cutoff, limit)
SELECT external_jobs."key"
FROM external_jobs
WHERE external_jobs.heard_at < ? AND NOT (EXISTS (SELECT *
FROM external_runs
WHERE external_runs.job = external_jobs."key")) ORDER BY external_jobs."key"
 LIMIT ? OFFSET 0;

-- delete_external_jobs(keys, cutoff)
DELETE FROM external_jobs WHERE external_jobs."key" IN (SELECT each_keys.value
FROM json_each(?) AS each_keys) AND external_jobs.heard_at < ? AND NOT (EXISTS (SELECT *
FROM external_runs
WHERE external_runs.job = external_jobs."key"));

-- delete_external_edges(cutoff, limit)
DELETE FROM external_edges WHERE (external_edges.job, external_edges.direction, external_edges.dataset) IN (SELECT edge.job, edge.direction, edge.dataset
FROM external_edges AS edge
WHERE NOT (EXISTS (SELECT *
FROM external_jobs
WHERE external_jobs."key" = edge.job)) OR edge.at < ? AND NOT (EXISTS (SELECT *
FROM external_jobs
WHERE external_jobs."key" = edge.job AND edge.at >= external_jobs.since))
 LIMIT ? OFFSET 0);

-- delete_external_datasets(cutoff, limit)
DELETE FROM external_datasets WHERE external_datasets."key" IN (SELECT dataset."key"
FROM external_datasets AS dataset
WHERE dataset.heard_at < ? AND NOT (EXISTS (SELECT *
FROM external_edges
WHERE external_edges.dataset = dataset."key"))
 LIMIT ? OFFSET 0);

-- put_variables[name, value, secret, description, changed_at, changed_by]
INSERT INTO variables (name, value, secret, description, changed_at, changed_by) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value, secret = excluded.secret, description = excluded.description, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- put_connections[name, kind, data, description, changed_at, changed_by]
INSERT INTO connections (name, kind, data, description, changed_at, changed_by) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, data = excluded.data, description = excluded.description, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- put_audit[at, actor, action, object_kind, object_name, data]
INSERT INTO audit (at, actor, action, object_kind, object_name, data) VALUES (?, ?, ?, ?, ?, ?);

-- all_variables(name, name)
SELECT variables.name, variables.value, variables.secret, variables.description, variables.changed_at, variables.changed_by
FROM variables
WHERE ? IS NULL OR variables.name = ? ORDER BY variables.name;

-- all_connections(name, name)
SELECT connections.name, connections.kind, connections.data, connections.description, connections.changed_at, connections.changed_by
FROM connections
WHERE ? IS NULL OR connections.name = ? ORDER BY connections.name;

-- delete_variable(name)
DELETE FROM variables WHERE variables.name = ?;

-- delete_connection(name)
DELETE FROM connections WHERE connections.name = ?;

-- keep_meta(key, value)
INSERT INTO meta ("key", value) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- last_number_of_audit()
SELECT coalesce(max(audit.id), 0) AS coalesce_1
FROM audit;

-- audit_entries(actor, actor, action, action, object_kind, object_kind, object_name, object_name, since, text, text, text, text, text, text, after, before, limit)
SELECT audit.id, audit.at, audit.actor, audit.action, audit.object_kind, audit.object_name, audit.data
FROM audit
WHERE (? IS NULL OR audit.actor = ?) AND (? IS NULL OR audit.action = ?) AND (? IS NULL OR audit.object_kind = ?) AND (? IS NULL OR audit.object_name = ?) AND audit.at >= ? AND (? IS NULL OR lower(audit.actor) LIKE ? ESCAPE '\' OR lower(audit.action) LIKE ? ESCAPE '\' OR lower(audit.object_kind) LIKE ? ESCAPE '\' OR lower(audit.object_name) LIKE ? ESCAPE '\' OR lower(audit.data) LIKE ? ESCAPE '\') AND audit.id > ? AND audit.id < ? ORDER BY audit.id DESC
 LIMIT ? OFFSET 0;

-- audit_entries_oldest_first(actor, actor, action, action, object_kind, object_kind, object_name, object_name, since, text, text, text, text, text, text, after, before, limit)
SELECT audit.id, audit.at, audit.actor, audit.action, audit.object_kind, audit.object_name, audit.data
FROM audit
WHERE (? IS NULL OR audit.actor = ?) AND (? IS NULL OR audit.action = ?) AND (? IS NULL OR audit.object_kind = ?) AND (? IS NULL OR audit.object_name = ?) AND audit.at >= ? AND (? IS NULL OR lower(audit.actor) LIKE ? ESCAPE '\' OR lower(audit.action) LIKE ? ESCAPE '\' OR lower(audit.object_kind) LIKE ? ESCAPE '\' OR lower(audit.object_name) LIKE ? ESCAPE '\' OR lower(audit.data) LIKE ? ESCAPE '\') AND audit.id > ? AND audit.id < ? ORDER BY audit.id
 LIMIT ? OFFSET 0;

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
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- run_list_all_oldest_first(states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- run_list_of_job(job, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.job = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- run_list_of_job_oldest_first(job, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.job = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- run_list_in_state(state, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.state = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- run_list_in_state_oldest_first(state, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.state = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- run_list_triggered(trigger, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs."trigger" = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- run_list_triggered_oldest_first(trigger, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs."trigger" = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- run_list_of_parent(of_parent, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.parent_run = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- run_list_of_parent_oldest_first(of_parent, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.parent_run = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- run_list_of_backfill(of_backfill, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.backfill_id = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- run_list_of_backfill_oldest_first(of_backfill, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.backfill_id = ? AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- run_list_of_partition(of_partition, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.partition = ? AND runs.partition != '' AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- run_list_of_partition_oldest_first(of_partition, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.partition = ? AND runs.partition != '' AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- run_list_tagged(tag_key, tag_value, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT run_tags.run_id
FROM run_tags
WHERE run_tags."key" = ? AND run_tags.value = ?) AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- run_list_tagged_oldest_first(tag_key, tag_value, states, states, jobs, jobs, kinds, kinds, triggers, triggers, locations, locations, origin, origin, partition, partition, parent_run, parent_run, backfill_id, backfill_id, roots_only, since, since, until, until, tags, tags, tag_count, text, text, text, text, after, before, limit)
SELECT runs.id, runs.job, runs.kind, runs.plan_hash, runs.location, runs.state, runs.params, runs.tags, runs.config, runs."trigger", runs.logical_at, runs.interval_start, runs.interval_end, runs.partition, runs.parent_run, runs.parent_task, runs.priority, runs.seed, runs.created_at, runs.started_at, runs.finished_at, runs.error, runs.epoch, runs.owner, runs.lease_until, runs.seq, runs.version, runs.origin, runs.concurrency_key, runs.deadline_at, runs.backfill_id
FROM runs
WHERE runs.id IN (SELECT run_tags.run_id
FROM run_tags
WHERE run_tags."key" = ? AND run_tags.value = ?) AND (? IS NULL OR runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR runs.job IN (SELECT each_jobs.value
FROM json_each(?) AS each_jobs)) AND (? IS NULL OR runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR runs."trigger" IN (SELECT each_triggers.value
FROM json_each(?) AS each_triggers)) AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) AND (? IS NULL OR runs.origin = ?) AND (? IS NULL OR runs.partition = ?) AND (? IS NULL OR runs.parent_run = ?) AND (? IS NULL OR runs.backfill_id = ?) AND (? = 0 OR runs.parent_run IS NULL) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at >= CAST(? AS DOUBLE)) AND (CAST(? AS DOUBLE) IS NULL OR runs.created_at < CAST(? AS DOUBLE)) AND (? IS NULL OR (SELECT count(*) AS count_1
FROM run_tags
WHERE run_tags.run_id = runs.id AND (run_tags."key" || '=' || run_tags.value) IN (SELECT each_tags.value
FROM json_each(?) AS each_tags)) = ?) AND (? IS NULL OR lower(runs.job) LIKE ? ESCAPE '\' OR lower(runs.error) LIKE ? ESCAPE '\' OR lower(runs.params) LIKE ? ESCAPE '\') AND runs.id > ? AND runs.id < ? ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- first_run_since(since)
SELECT runs.id
FROM runs
WHERE runs.created_at >= ? ORDER BY runs.created_at
 LIMIT 1 OFFSET 0;

-- run_states_after(after, locations, locations)
SELECT runs.state, count(*) AS count_1
FROM runs
WHERE runs.id > ? AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) GROUP BY runs.state;

-- open_run_states(locations, locations)
SELECT runs.state, count(*) AS count_1
FROM runs
WHERE runs.state IN ('queued', 'running', 'paused', 'cancelling') AND (? IS NULL OR runs.location IN (SELECT each_locations.value
FROM json_each(?) AS each_locations)) GROUP BY runs.state;

-- recent_of_job(job, location, location, before, limit)
SELECT runs.id, runs.state, runs.created_at, runs.started_at, runs.finished_at, runs.partition, runs.logical_at, runs."trigger"
FROM runs
WHERE runs.job = ? AND (? IS NULL OR runs.location = ?) AND runs.id < ? ORDER BY runs.id DESC
 LIMIT ? OFFSET 0;

-- recent_of_jobs(jobs_listed, limit)
SELECT runs.id, runs.state, runs.created_at, runs.started_at, runs.finished_at, runs.partition, runs.logical_at, runs."trigger", runs.job
FROM json_each(?) AS each_job JOIN runs ON 1 = 1
WHERE runs.id IN (SELECT own.id
FROM runs AS own
WHERE own.job = each_job.value ORDER BY own.id DESC
 LIMIT ? OFFSET 0) ORDER BY runs.id DESC;

-- run_days_of_job(job, after, location, location)
SELECT CAST(coalesce(runs.logical_at, runs.created_at) / (86400 + 0.0) AS INTEGER) AS day, runs.state, count(*) AS count_1, max(runs.id) AS max_1
FROM runs
WHERE runs.job = ? AND runs.id > ? AND (? IS NULL OR runs.location = ?) GROUP BY 1, runs.state ORDER BY 1;

-- task_grid(ids)
SELECT task_runs.run_id, task_runs.step, task_runs.state, count(*) AS count_1, min(task_runs.started_at) AS min_1, max(task_runs.finished_at) AS max_1, min(task_runs.no) AS min_2, max(task_runs.attempt) AS max_2
FROM task_runs
WHERE task_runs.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) GROUP BY task_runs.run_id, task_runs.step, task_runs.state;

-- task_bars(run_id, after_no, limit)
SELECT task_runs.no, task_runs.step, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at
FROM task_runs
WHERE task_runs.run_id = ? AND task_runs.no > ? ORDER BY task_runs.no
 LIMIT ? OFFSET 0;

-- task_list(run_id, after_no, states, states, steps, steps, kinds, kinds, text, text, text, text, limit)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = ? AND task_runs.no > ? AND (? IS NULL OR task_runs.state IN (SELECT each_states.value
FROM json_each(?) AS each_states)) AND (? IS NULL OR task_runs.step IN (SELECT each_steps.value
FROM json_each(?) AS each_steps)) AND (? IS NULL OR task_runs.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR lower(task_runs.step) LIKE ? ESCAPE '\' OR lower(task_runs.label) LIKE ? ESCAPE '\' OR lower(task_runs.error) LIKE ? ESCAPE '\') ORDER BY task_runs.no
 LIMIT ? OFFSET 0;

-- logged_tasks(run_id, after_no, limit)
SELECT task_runs.run_id, task_runs.no, task_runs.step, task_runs.task, task_runs.kind, task_runs.map_index, task_runs.label, task_runs.state, task_runs.attempt, task_runs.started_at, task_runs.finished_at, task_runs.worker, task_runs.reason, task_runs.error, task_runs.output, task_runs.logged
FROM task_runs
WHERE task_runs.run_id = ? AND task_runs.no > ? AND (task_runs.logged IS 1 OR task_runs.state IN ('running', 'retrying', 'deferred')) ORDER BY task_runs.no
 LIMIT ? OFFSET 0;

-- events_listed(run_id, after_seq, kinds, kinds, task, task, text, text, limit)
SELECT events.run_id, events.seq, events.kind, events.at, events.task, events.data, events.id
FROM events
WHERE events.run_id = ? AND events.seq > ? AND (? IS NULL OR events.kind IN (SELECT each_kinds.value
FROM json_each(?) AS each_kinds)) AND (? IS NULL OR events.task = ?) AND (? IS NULL OR lower(events.data) LIKE ? ESCAPE '\') ORDER BY events.seq
 LIMIT ? OFFSET 0;

-- partitions_made(asset)
SELECT asset_partitions.partition, asset_partitions.at, asset_partitions.run_id, asset_partitions.data_version
FROM asset_partitions
WHERE asset_partitions.asset = ? ORDER BY asset_partitions.partition;

-- materializations_newest(before, assets, assets, limit)
SELECT materializations.asset, materializations.partition, materializations.run_id, materializations.task, materializations.at, materializations.data_version, materializations.code_version, materializations.inputs, materializations.metadata, materializations.id
FROM materializations
WHERE materializations.id < ? AND (? IS NULL OR materializations.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets)) ORDER BY materializations.id DESC
 LIMIT ? OFFSET 0;

-- last_number_of_check_results()
SELECT coalesce(max(check_results.id), 0) AS coalesce_1
FROM check_results;

-- checks_newest(assets, assets, check, check, is_passed, is_passed, text, text, text, text, after, before, limit)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE (? IS NULL OR check_results.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets)) AND (? IS NULL OR check_results.check_name = ?) AND (CAST(? AS BOOLEAN) IS NULL OR check_results.passed = CAST(? AS BOOLEAN)) AND (? IS NULL OR lower(check_results.asset) LIKE ? ESCAPE '\' OR lower(check_results.check_name) LIKE ? ESCAPE '\' OR lower(check_results.description) LIKE ? ESCAPE '\') AND check_results.id > ? AND check_results.id < ? ORDER BY check_results.id DESC
 LIMIT ? OFFSET 0;

-- checks_newest_oldest_first(assets, assets, check, check, is_passed, is_passed, text, text, text, text, after, before, limit)
SELECT check_results.asset, check_results.check_name, check_results.partition, check_results.run_id, check_results.task, check_results.at, check_results.passed, check_results.blocking, check_results.description, check_results.metadata, check_results.outcome, check_results.id
FROM check_results
WHERE (? IS NULL OR check_results.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets)) AND (? IS NULL OR check_results.check_name = ?) AND (CAST(? AS BOOLEAN) IS NULL OR check_results.passed = CAST(? AS BOOLEAN)) AND (? IS NULL OR lower(check_results.asset) LIKE ? ESCAPE '\' OR lower(check_results.check_name) LIKE ? ESCAPE '\' OR lower(check_results.description) LIKE ? ESCAPE '\') AND check_results.id > ? AND check_results.id < ? ORDER BY check_results.id
 LIMIT ? OFFSET 0;

-- check_days(since, assets, assets, check, check)
SELECT check_results.asset, CAST(check_results.at / (86400 + 0.0) AS INTEGER) AS day, sum(CASE WHEN (CASE WHEN (check_results.outcome != '') THEN check_results.outcome WHEN (check_results.passed IS 1) THEN 'passed' WHEN (check_results.blocking IS 1) THEN 'failed' ELSE 'warned' END = 'passed') THEN 1 ELSE 0 END) AS passed, sum(CASE WHEN (CASE WHEN (check_results.outcome != '') THEN check_results.outcome WHEN (check_results.passed IS 1) THEN 'passed' WHEN (check_results.blocking IS 1) THEN 'failed' ELSE 'warned' END = 'warned') THEN 1 ELSE 0 END) AS warned, sum(CASE WHEN (CASE WHEN (check_results.outcome != '') THEN check_results.outcome WHEN (check_results.passed IS 1) THEN 'passed' WHEN (check_results.blocking IS 1) THEN 'failed' ELSE 'warned' END = 'failed') THEN 1 ELSE 0 END) AS failed, sum(CASE WHEN (CASE WHEN (check_results.outcome != '') THEN check_results.outcome WHEN (check_results.passed IS 1) THEN 'passed' WHEN (check_results.blocking IS 1) THEN 'failed' ELSE 'warned' END = 'unknown') THEN 1 ELSE 0 END) AS unknown
FROM check_results
WHERE check_results.at >= ? AND (? IS NULL OR check_results.asset IN (SELECT each_assets.value
FROM json_each(?) AS each_assets)) AND (? IS NULL OR check_results.check_name = ?) GROUP BY check_results.asset, 2;

-- put_accounts[name, kind, password, subject, title, roles, disabled, created_at, changed_at, changed_by]
INSERT INTO accounts (name, kind, password, subject, title, roles, disabled, created_at, changed_at, changed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, password = excluded.password, subject = excluded.subject, title = excluded.title, roles = excluded.roles, disabled = excluded.disabled, created_at = excluded.created_at, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- put_api_tokens[hash, account, title, roles, created_at, created_by, expires_at, revoked_at, used_at]
INSERT INTO api_tokens (hash, account, title, roles, created_at, created_by, expires_at, revoked_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- put_sessions[hash, account, created_at, expires_at, seen_at, client]
INSERT INTO sessions (hash, account, created_at, expires_at, seen_at, client) VALUES (?, ?, ?, ?, ?, ?);

-- account(name)
SELECT accounts.name, accounts.kind, accounts.password, accounts.subject, accounts.title, accounts.roles, accounts.disabled, accounts.created_at, accounts.changed_at, accounts.changed_by
FROM accounts
WHERE accounts.name = ?;

-- account_of_subject(subject)
SELECT accounts.name, accounts.kind, accounts.password, accounts.subject, accounts.title, accounts.roles, accounts.disabled, accounts.created_at, accounts.changed_at, accounts.changed_by
FROM accounts
WHERE accounts.subject = ?;

-- all_accounts()
SELECT accounts.name, accounts.kind, accounts.password, accounts.subject, accounts.title, accounts.roles, accounts.disabled, accounts.created_at, accounts.changed_at, accounts.changed_by
FROM accounts ORDER BY accounts.name;

-- count_accounts()
SELECT count(*) AS count_1
FROM accounts;

-- delete_account(name)
DELETE FROM accounts WHERE accounts.name = ?;

-- api_token(hash)
SELECT api_tokens.id, api_tokens.hash, api_tokens.account, api_tokens.title, api_tokens.roles, api_tokens.created_at, api_tokens.created_by, api_tokens.expires_at, api_tokens.revoked_at, api_tokens.used_at
FROM api_tokens
WHERE api_tokens.hash = ?;

-- api_tokens_of(account, account)
SELECT api_tokens.id, api_tokens.hash, api_tokens.account, api_tokens.title, api_tokens.roles, api_tokens.created_at, api_tokens.created_by, api_tokens.expires_at, api_tokens.revoked_at, api_tokens.used_at
FROM api_tokens
WHERE ? IS NULL OR api_tokens.account = ? ORDER BY api_tokens.id;

-- revoke_api_token(at, of_id)
UPDATE api_tokens SET revoked_at=? WHERE api_tokens.id = ? AND api_tokens.revoked_at IS NULL;

-- touch_api_token(at, of_id)
UPDATE api_tokens SET used_at=? WHERE api_tokens.id = ?;

-- session(hash)
SELECT sessions.hash, sessions.account, sessions.created_at, sessions.expires_at, sessions.seen_at, sessions.client
FROM sessions
WHERE sessions.hash = ?;

-- touch_session(at, of_hash)
UPDATE sessions SET seen_at=? WHERE sessions.hash = ?;

-- delete_session(hash)
DELETE FROM sessions WHERE sessions.hash = ?;

-- delete_sessions_of(account)
DELETE FROM sessions WHERE sessions.account = ?;

-- delete_old_sessions(cutoff)
DELETE FROM sessions WHERE sessions.expires_at < ?;

-- put_asset_definitions[key, location, data]
INSERT INTO asset_definitions ("key", location, data) VALUES (?, ?, ?) ON CONFLICT ("key", location) DO UPDATE SET data = excluded.data;

-- put_dynamic_partitions[name, key, created_at]
INSERT INTO dynamic_partitions (name, "key", created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- partitions_named(name)
SELECT dynamic_partitions."key"
FROM dynamic_partitions
WHERE dynamic_partitions.name = ? ORDER BY dynamic_partitions.created_at, dynamic_partitions."key";

-- delete_partitions(name, keys)
DELETE FROM dynamic_partitions WHERE dynamic_partitions.name = ? AND dynamic_partitions."key" IN (SELECT each_keys.value
FROM json_each(?) AS each_keys);

-- all_definitions()
SELECT definitions.location, definitions.hash, definitions.data, definitions.loaded_at, definitions.error, definitions.problems
FROM definitions ORDER BY definitions.location;

-- definitions_at(location)
SELECT definitions.location, definitions.hash, definitions.data, definitions.loaded_at, definitions.error, definitions.problems
FROM definitions
WHERE definitions.location = ?;

-- put_definitions(location, hash, data, loaded_at, error, problems)
INSERT INTO definitions (location, hash, data, loaded_at, error, problems) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (location) DO UPDATE SET hash = excluded.hash, data = excluded.data, loaded_at = excluded.loaded_at, error = excluded.error, problems = excluded.problems;

-- touch_definitions(at, new_error, new_problems, of_location)
UPDATE definitions SET loaded_at=?, error=?, problems=? WHERE definitions.location = ?;

-- delete_definitions(location)
DELETE FROM definitions WHERE definitions.location = ?;

-- assets_defined(location, location)
SELECT asset_definitions."key", asset_definitions.location, asset_definitions.data
FROM asset_definitions
WHERE ? IS NULL OR asset_definitions.location = ? ORDER BY asset_definitions."key", asset_definitions.location;

-- asset_defined(keys)
SELECT asset_definitions."key", asset_definitions.location, asset_definitions.data
FROM asset_definitions
WHERE asset_definitions."key" IN (SELECT each_keys.value
FROM json_each(?) AS each_keys) ORDER BY asset_definitions."key", asset_definitions.location;

-- delete_asset_definitions(location, keys)
DELETE FROM asset_definitions WHERE asset_definitions.location = ? AND asset_definitions."key" IN (SELECT each_keys.value
FROM json_each(?) AS each_keys);

-- get_meta(key)
SELECT meta.value
FROM meta
WHERE meta."key" = ?;

-- put_meta(key, value)
INSERT INTO meta ("key", value) VALUES (?, ?) ON CONFLICT ("key") DO UPDATE SET value = excluded.value;

-- get_revision()
SELECT batuta_revision.version_num
FROM batuta_revision;

-- put_revision(version_num)
INSERT INTO batuta_revision (version_num) VALUES (?);

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
INSERT INTO source_files (location, version, file, at, hash) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- put_source(hash, data)
INSERT INTO sources (hash, data) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- newest_sources(location, version)
SELECT source_files.file, source_files.hash
FROM source_files
WHERE source_files.location = ? AND source_files.version = ? AND (SELECT min(later.at) AS min_1
FROM source_files AS later
WHERE later.location = source_files.location AND later.version = source_files.version AND later.file = source_files.file AND later.at > source_files.at) IS NULL;

-- source_at(location, version, file, at, at)
SELECT sources.data
FROM sources JOIN source_files ON source_files.hash = sources.hash
WHERE source_files.location = ? AND source_files.version = ? AND source_files.file = ? AND (CAST(? AS DOUBLE) IS NULL OR source_files.at <= CAST(? AS DOUBLE)) ORDER BY source_files.at DESC
 LIMIT 1 OFFSET 0;

-- first_source(location, version, file)
SELECT sources.data
FROM sources JOIN source_files ON source_files.hash = sources.hash
WHERE source_files.location = ? AND source_files.version = ? AND source_files.file = ? ORDER BY source_files.at
 LIMIT 1 OFFSET 0;

-- delete_source_files(cutoff, limit)
DELETE FROM source_files WHERE (source_files.location, source_files.version, source_files.file, source_files.at) IN (SELECT source_files.location, source_files.version, source_files.file, source_files.at
FROM source_files
WHERE source_files.at < ? AND NOT ((SELECT min(later.at) AS min_1
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
 LIMIT ? OFFSET 0);

-- unused_sources(limit)
SELECT sources.hash
FROM sources
WHERE NOT (EXISTS (SELECT *
FROM source_files
WHERE source_files.hash = sources.hash)) ORDER BY sources.hash
 LIMIT ? OFFSET 0;

-- delete_sources(hashes)
DELETE FROM sources WHERE sources.hash IN (SELECT each_hashes.value
FROM json_each(?) AS each_hashes);

-- prunable_runs(cutoff, after, keep_less_one, keep_less_one, limit)
SELECT runs.id
FROM runs
WHERE runs.state IN ('succeeded', 'failed', 'cancelled') AND runs.finished_at < ? AND runs.id > ? AND NOT (EXISTS (SELECT *
FROM runs AS parent
WHERE parent.id = runs.parent_run)) AND (runs.parent_run IS NOT NULL OR ? < 0 OR (EXISTS (SELECT newer.id
FROM runs AS newer
WHERE newer.job = runs.job AND newer.id > runs.id AND newer.parent_run IS NULL ORDER BY newer.id
 LIMIT 1 OFFSET ?))) ORDER BY runs.id
 LIMIT ? OFFSET 0;

-- still_prunable(ids, cutoff)
SELECT runs.id
FROM runs
WHERE runs.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) AND runs.state IN ('succeeded', 'failed', 'cancelled') AND runs.finished_at < ? ORDER BY runs.id;

-- put_pruned[run_id]
INSERT INTO pruned_runs (run_id) VALUES (?) ON CONFLICT DO NOTHING;

-- delete_runs(ids)
DELETE FROM runs WHERE runs.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- delete_pruned_events(ids, limit)
DELETE FROM events WHERE events.id IN (SELECT events.id
FROM events
WHERE events.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids)
 LIMIT ? OFFSET 0);

-- delete_pruned_task_runs(ids, limit)
DELETE FROM task_runs WHERE (task_runs.run_id, task_runs.no) IN (SELECT task_runs.run_id, task_runs.no
FROM task_runs
WHERE task_runs.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids)
 LIMIT ? OFFSET 0);

-- delete_pruned_materializations(ids, limit)
DELETE FROM materializations WHERE materializations.id IN (SELECT materializations.id
FROM materializations
WHERE materializations.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids)
 LIMIT ? OFFSET 0);

-- delete_pruned_check_results(ids, limit)
DELETE FROM check_results WHERE check_results.id IN (SELECT check_results.id
FROM check_results
WHERE check_results.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids)
 LIMIT ? OFFSET 0);

-- delete_pruned_artifacts(ids, limit)
DELETE FROM artifacts WHERE artifacts.id IN (SELECT artifacts.id
FROM artifacts
WHERE artifacts.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids)
 LIMIT ? OFFSET 0);

-- all_pruned(limit)
SELECT pruned_runs.run_id
FROM pruned_runs ORDER BY pruned_runs.run_id
 LIMIT ? OFFSET 0;

-- delete_pruned(ids)
DELETE FROM pruned_runs WHERE pruned_runs.run_id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) AND NOT ((EXISTS (SELECT *
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
WHERE plans.hash > ? AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.plan_hash = plans.hash)) ORDER BY plans.hash
 LIMIT ? OFFSET 0;

-- delete_plans(hashes)
DELETE FROM plans WHERE plans.hash IN (SELECT each_hashes.value
FROM json_each(?) AS each_hashes) AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.plan_hash = plans.hash));

-- stale_cache(after, now, limit)
SELECT task_cache."key", task_cache.run_id
FROM task_cache
WHERE task_cache."key" > ? AND (task_cache.expires_at <= ? OR NOT (EXISTS (SELECT *
FROM runs
WHERE runs.id = task_cache.run_id))) ORDER BY task_cache."key"
 LIMIT ? OFFSET 0;

-- delete_cache(keys, runs)
DELETE FROM task_cache WHERE task_cache."key" IN (SELECT each_keys.value
FROM json_each(?) AS each_keys) AND task_cache.run_id IN (SELECT each_runs.value
FROM json_each(?) AS each_runs);

-- oldest_ticks(limit)
SELECT ticks.id, ticks.at
FROM ticks ORDER BY ticks.id
 LIMIT ? OFFSET 0;

-- delete_ticks(ids)
DELETE FROM ticks WHERE ticks.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- oldest_signals(limit)
SELECT signals.id, signals.at
FROM signals ORDER BY signals.id
 LIMIT ? OFFSET 0;

-- delete_signals(ids)
DELETE FROM signals WHERE signals.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- oldest_audit(limit)
SELECT audit.id, audit.at
FROM audit ORDER BY audit.id
 LIMIT ? OFFSET 0;

-- delete_audit(ids)
DELETE FROM audit WHERE audit.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids);

-- old_alerts(cutoff, limit)
SELECT alerts.id
FROM alerts
WHERE alerts.last_at < ? ORDER BY alerts.id
 LIMIT ? OFFSET 0;

-- delete_alerts(ids, cutoff)
DELETE FROM alerts WHERE alerts.id IN (SELECT each_ids.value
FROM json_each(?) AS each_ids) AND alerts.last_at < ?;

-- old_backfills(cutoff, limit)
SELECT backfills.id
FROM backfills
WHERE backfills.finished_at < ? ORDER BY backfills.id
 LIMIT ? OFFSET 0;

-- delete_backfill_items(of_backfill, limit)
DELETE FROM backfill_items WHERE (backfill_items.backfill_id, backfill_items.no) IN (SELECT backfill_items.backfill_id, backfill_items.no
FROM backfill_items
WHERE backfill_items.backfill_id = ? ORDER BY backfill_items.no
 LIMIT ? OFFSET 0);

-- delete_backfill(of_backfill)
DELETE FROM backfills WHERE backfills.id = ?;

-- unused_versions(cutoff, limit)
SELECT definition_versions.hash
FROM definition_versions
WHERE definition_versions.loaded_at < ? AND NOT (EXISTS (SELECT *
FROM definitions
WHERE definitions.location = definition_versions.location AND definitions.hash = definition_versions.hash)) AND NOT (EXISTS (SELECT *
FROM runs
WHERE runs.version = definition_versions.hash)) ORDER BY definition_versions.hash
 LIMIT ? OFFSET 0;

-- delete_versions(hashes, cutoff)
DELETE FROM definition_versions WHERE definition_versions.hash IN (SELECT each_hashes.value
FROM json_each(?) AS each_hashes) AND definition_versions.loaded_at < ?;

-- delete_processes(cutoff)
DELETE FROM processes WHERE processes.seen_at < ?;
