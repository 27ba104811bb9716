CREATE TABLE accounts (
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	password TEXT NOT NULL,
	subject TEXT NOT NULL,
	title TEXT NOT NULL,
	roles TEXT NOT NULL,
	disabled BOOLEAN NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	changed_at DOUBLE PRECISION NOT NULL,
	changed_by TEXT NOT NULL,
	CONSTRAINT pk_accounts PRIMARY KEY (name)
);

CREATE INDEX ix_accounts_subject ON accounts (subject);

CREATE TABLE alerts (
	id BIGSERIAL NOT NULL,
	rule TEXT NOT NULL,
	key TEXT NOT NULL,
	kind TEXT NOT NULL,
	severity TEXT NOT NULL,
	title TEXT NOT NULL,
	body TEXT NOT NULL,
	data TEXT NOT NULL,
	count INTEGER NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	last_at DOUBLE PRECISION NOT NULL,
	resolved_at DOUBLE PRECISION,
	CONSTRAINT pk_alerts PRIMARY KEY (id)
);

CREATE INDEX ix_alerts_at ON alerts (at);

CREATE INDEX ix_alerts_rule_key_id ON alerts (rule, key, id);

CREATE TABLE artifacts (
	id BIGSERIAL NOT NULL,
	run_id BIGINT NOT NULL,
	task INTEGER NOT NULL,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	title TEXT NOT NULL,
	media_type TEXT NOT NULL,
	size BIGINT NOT NULL,
	progress DOUBLE PRECISION,
	content TEXT,
	attempt INTEGER NOT NULL,
	job TEXT NOT NULL,
	location TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_artifacts PRIMARY KEY (id),
	CONSTRAINT uq_artifacts_run_id_task_name UNIQUE (run_id, task, name)
);

CREATE INDEX ix_artifacts_job_id ON artifacts (job, id);

CREATE INDEX ix_artifacts_name_id ON artifacts (name, id);

CREATE TABLE asset_code (
	asset TEXT NOT NULL,
	code_version TEXT NOT NULL,
	code TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_asset_code PRIMARY KEY (asset, code_version)
);

CREATE TABLE asset_columns (
	asset TEXT NOT NULL,
	source TEXT NOT NULL,
	hash TEXT NOT NULL,
	columns TEXT NOT NULL,
	lineage TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_asset_columns PRIMARY KEY (asset, source)
);

CREATE INDEX ix_asset_columns_at ON asset_columns (at);

CREATE TABLE asset_partitions (
	asset TEXT NOT NULL,
	partition TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	task INTEGER NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	data_version TEXT NOT NULL,
	code_version TEXT NOT NULL,
	inputs TEXT NOT NULL,
	metadata TEXT NOT NULL,
	CONSTRAINT pk_asset_partitions PRIMARY KEY (asset, partition)
);

CREATE TABLE asset_usage (
	asset TEXT NOT NULL,
	kind TEXT NOT NULL,
	reader TEXT NOT NULL,
	day INTEGER NOT NULL,
	reads INTEGER NOT NULL,
	last_at DOUBLE PRECISION NOT NULL,
	last_run BIGINT NOT NULL,
	CONSTRAINT pk_asset_usage PRIMARY KEY (asset, kind, reader, day)
);

CREATE INDEX ix_asset_usage_day ON asset_usage (day);

CREATE TABLE audit (
	id BIGSERIAL NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	object_kind TEXT NOT NULL,
	object_name TEXT NOT NULL,
	data TEXT NOT NULL,
	CONSTRAINT pk_audit PRIMARY KEY (id)
);

CREATE INDEX ix_audit_actor_id ON audit (actor, id);

CREATE INDEX ix_audit_object_kind_object_name_id ON audit (object_kind, object_name, id);

CREATE TABLE backfills (
	id BIGSERIAL NOT NULL,
	location TEXT NOT NULL,
	job TEXT NOT NULL,
	selection TEXT NOT NULL,
	state TEXT NOT NULL,
	config TEXT NOT NULL,
	params TEXT NOT NULL,
	tags TEXT NOT NULL,
	created_by TEXT NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	finished_at DOUBLE PRECISION,
	error TEXT NOT NULL,
	CONSTRAINT pk_backfills PRIMARY KEY (id)
);

CREATE INDEX ix_backfills_state_id ON backfills (state, id);

CREATE TABLE batuta_revision (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT batuta_revision_pkc PRIMARY KEY (version_num)
);

CREATE TABLE check_results (
	id BIGSERIAL NOT NULL,
	asset TEXT NOT NULL,
	check_name TEXT NOT NULL,
	partition TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	task INTEGER NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	passed BOOLEAN NOT NULL,
	blocking BOOLEAN NOT NULL,
	description TEXT NOT NULL,
	metadata TEXT NOT NULL,
	outcome TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_check_results PRIMARY KEY (id)
);

CREATE INDEX ix_check_results_asset_id ON check_results (asset, id);

CREATE INDEX ix_check_results_at ON check_results (at);

CREATE INDEX ix_check_results_run_id ON check_results (run_id);

CREATE TABLE checks_current (
	asset TEXT NOT NULL,
	check_name TEXT NOT NULL,
	partition TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	task INTEGER NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	passed BOOLEAN NOT NULL,
	blocking BOOLEAN NOT NULL,
	description TEXT NOT NULL,
	metadata TEXT NOT NULL,
	outcome TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_checks_current PRIMARY KEY (asset, check_name, partition)
);

CREATE TABLE connections (
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	data TEXT NOT NULL,
	description TEXT NOT NULL,
	changed_at DOUBLE PRECISION NOT NULL,
	changed_by TEXT NOT NULL,
	CONSTRAINT pk_connections PRIMARY KEY (name)
);

CREATE TABLE definition_versions (
	location TEXT NOT NULL,
	hash TEXT NOT NULL,
	data BYTEA NOT NULL,
	loaded_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_definition_versions PRIMARY KEY (location, hash)
);

CREATE TABLE definitions (
	location TEXT NOT NULL,
	hash TEXT NOT NULL,
	data BYTEA NOT NULL,
	loaded_at DOUBLE PRECISION NOT NULL,
	error TEXT NOT NULL,
	problems TEXT DEFAULT '[]' NOT NULL,
	CONSTRAINT pk_definitions PRIMARY KEY (location)
);

CREATE TABLE dynamic_partitions (
	name TEXT NOT NULL,
	key TEXT NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_dynamic_partitions PRIMARY KEY (name, key)
);

CREATE TABLE environments (
	name TEXT NOT NULL,
	description TEXT NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	created_by TEXT NOT NULL,
	CONSTRAINT pk_environments PRIMARY KEY (name)
);

CREATE TABLE evaluations (
	id BIGSERIAL NOT NULL,
	location TEXT NOT NULL,
	what TEXT NOT NULL,
	data TEXT NOT NULL,
	asked_by TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	until DOUBLE PRECISION NOT NULL,
	taken_by TEXT NOT NULL,
	answer TEXT,
	CONSTRAINT pk_evaluations PRIMARY KEY (id)
);

CREATE TABLE events (
	id BIGSERIAL NOT NULL,
	run_id BIGINT NOT NULL,
	seq INTEGER NOT NULL,
	kind TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	task INTEGER,
	data TEXT NOT NULL,
	CONSTRAINT pk_events PRIMARY KEY (id),
	CONSTRAINT uq_events_run_id_seq UNIQUE (run_id, seq)
);

CREATE TABLE external_datasets (
	key TEXT NOT NULL,
	namespace TEXT NOT NULL,
	name TEXT NOT NULL,
	data TEXT NOT NULL,
	last_at DOUBLE PRECISION NOT NULL,
	heard_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_external_datasets PRIMARY KEY (key)
);

CREATE INDEX ix_external_datasets_heard_at ON external_datasets (heard_at);

CREATE TABLE external_edges (
	job TEXT NOT NULL,
	direction TEXT NOT NULL,
	dataset TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_external_edges PRIMARY KEY (job, direction, dataset)
);

CREATE INDEX ix_external_edges_dataset ON external_edges (dataset);

CREATE TABLE external_jobs (
	key TEXT NOT NULL,
	namespace TEXT NOT NULL,
	name TEXT NOT NULL,
	data TEXT NOT NULL,
	since DOUBLE PRECISION NOT NULL,
	last_at DOUBLE PRECISION NOT NULL,
	heard_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_external_jobs PRIMARY KEY (key)
);

CREATE INDEX ix_external_jobs_heard_at ON external_jobs (heard_at);

CREATE TABLE external_runs (
	run_id TEXT NOT NULL,
	job TEXT NOT NULL,
	state TEXT NOT NULL,
	parent TEXT NOT NULL,
	began_at DOUBLE PRECISION NOT NULL,
	last_at DOUBLE PRECISION NOT NULL,
	data TEXT NOT NULL,
	heard_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_external_runs PRIMARY KEY (run_id)
);

CREATE INDEX ix_external_runs_began_at ON external_runs (began_at);

CREATE INDEX ix_external_runs_heard_at ON external_runs (heard_at);

CREATE INDEX ix_external_runs_job_began_at ON external_runs (job, began_at);

CREATE INDEX ix_external_runs_parent ON external_runs (parent);

CREATE TABLE leaders (
	name TEXT NOT NULL,
	owner TEXT NOT NULL,
	until DOUBLE PRECISION NOT NULL,
	epoch INTEGER NOT NULL,
	CONSTRAINT pk_leaders PRIMARY KEY (name)
);

CREATE TABLE materializations (
	id BIGSERIAL NOT NULL,
	asset TEXT NOT NULL,
	partition TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	task INTEGER NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	data_version TEXT NOT NULL,
	code_version TEXT NOT NULL,
	inputs TEXT NOT NULL,
	metadata TEXT NOT NULL,
	CONSTRAINT pk_materializations PRIMARY KEY (id)
);

CREATE INDEX ix_materializations_asset_id ON materializations (asset, id);

CREATE INDEX ix_materializations_asset_partition_id ON materializations (asset, partition, id);

CREATE INDEX ix_materializations_run_id ON materializations (run_id);

CREATE TABLE meta (
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_meta PRIMARY KEY (key)
);

CREATE TABLE plans (
	hash TEXT NOT NULL,
	data BYTEA NOT NULL,
	CONSTRAINT pk_plans PRIMARY KEY (hash)
);

CREATE TABLE pool_holds (
	run_id BIGINT NOT NULL,
	task INTEGER NOT NULL,
	pool TEXT NOT NULL,
	slots INTEGER NOT NULL,
	owner TEXT NOT NULL,
	CONSTRAINT pk_pool_holds PRIMARY KEY (run_id, task, pool)
);

CREATE INDEX ix_pool_holds_pool ON pool_holds (pool);

CREATE TABLE pools (
	name TEXT NOT NULL,
	slots INTEGER NOT NULL,
	description TEXT NOT NULL,
	changed_at DOUBLE PRECISION NOT NULL,
	changed_by TEXT NOT NULL,
	CONSTRAINT pk_pools PRIMARY KEY (name)
);

CREATE TABLE processes (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	host TEXT NOT NULL,
	pid INTEGER NOT NULL,
	started_at DOUBLE PRECISION NOT NULL,
	seen_at DOUBLE PRECISION NOT NULL,
	info TEXT NOT NULL,
	CONSTRAINT pk_processes PRIMARY KEY (id)
);

CREATE INDEX ix_processes_seen_at ON processes (seen_at);

CREATE TABLE pruned_runs (
	run_id BIGINT NOT NULL,
	CONSTRAINT pk_pruned_runs PRIMARY KEY (run_id)
);

CREATE TABLE rate_starts (
	id BIGSERIAL NOT NULL,
	name TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_rate_starts PRIMARY KEY (id)
);

CREATE INDEX ix_rate_starts_name_at ON rate_starts (name, at);

CREATE TABLE run_keys (
	scope TEXT NOT NULL,
	key TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_run_keys PRIMARY KEY (scope, key)
);

CREATE INDEX ix_run_keys_at ON run_keys (at);

CREATE TABLE signals (
	id BIGSERIAL NOT NULL,
	name TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	data TEXT NOT NULL,
	sent_by TEXT NOT NULL,
	CONSTRAINT pk_signals PRIMARY KEY (id)
);

CREATE INDEX ix_signals_at ON signals (at);

CREATE INDEX ix_signals_name_id ON signals (name, id);

CREATE TABLE source_files (
	location TEXT NOT NULL,
	version TEXT NOT NULL,
	file TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	hash TEXT NOT NULL,
	CONSTRAINT pk_source_files PRIMARY KEY (location, version, file, at)
);

CREATE INDEX ix_source_files_hash ON source_files (hash);

CREATE TABLE sources (
	hash TEXT NOT NULL,
	data BYTEA NOT NULL,
	CONSTRAINT pk_sources PRIMARY KEY (hash)
);

CREATE TABLE task_cache (
	key TEXT NOT NULL,
	output TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	expires_at DOUBLE PRECISION,
	CONSTRAINT pk_task_cache PRIMARY KEY (key)
);

CREATE TABLE task_runs (
	run_id BIGINT NOT NULL,
	no INTEGER NOT NULL,
	step TEXT NOT NULL,
	task TEXT NOT NULL,
	kind TEXT NOT NULL,
	map_index INTEGER NOT NULL,
	label TEXT NOT NULL,
	state TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	started_at DOUBLE PRECISION,
	finished_at DOUBLE PRECISION,
	worker TEXT NOT NULL,
	reason TEXT NOT NULL,
	error TEXT,
	output TEXT,
	logged BOOLEAN NOT NULL,
	CONSTRAINT pk_task_runs PRIMARY KEY (run_id, no)
);

CREATE INDEX ix_task_runs_noteworthy ON task_runs (state, run_id) WHERE state IN ('running', 'retrying', 'deferred', 'paused', 'failed');

CREATE TABLE tickers (
	kind TEXT NOT NULL,
	location TEXT NOT NULL,
	name TEXT NOT NULL,
	enabled BOOLEAN,
	cursor TEXT NOT NULL,
	state TEXT NOT NULL,
	failures INTEGER NOT NULL,
	next_at DOUBLE PRECISION,
	ticked_at DOUBLE PRECISION,
	changed_at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_tickers PRIMARY KEY (kind, location, name)
);

CREATE TABLE ticks (
	id BIGSERIAL NOT NULL,
	kind TEXT NOT NULL,
	location TEXT NOT NULL,
	name TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	ended_at DOUBLE PRECISION NOT NULL,
	logical_at DOUBLE PRECISION,
	outcome TEXT NOT NULL,
	reason TEXT NOT NULL,
	runs TEXT NOT NULL,
	cursor TEXT NOT NULL,
	data TEXT NOT NULL,
	CONSTRAINT pk_ticks PRIMARY KEY (id)
);

CREATE INDEX ix_ticks_at ON ticks (at);

CREATE INDEX ix_ticks_kind_location_name_id ON ticks (kind, location, name, id);

CREATE TABLE variables (
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	secret BOOLEAN NOT NULL,
	description TEXT NOT NULL,
	changed_at DOUBLE PRECISION NOT NULL,
	changed_by TEXT NOT NULL,
	CONSTRAINT pk_variables PRIMARY KEY (name)
);

CREATE TABLE alert_deliveries (
	id BIGSERIAL NOT NULL,
	alert_id BIGINT NOT NULL,
	channel TEXT NOT NULL,
	step INTEGER NOT NULL,
	state TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	next_at DOUBLE PRECISION,
	sent_at DOUBLE PRECISION,
	error TEXT NOT NULL,
	CONSTRAINT pk_alert_deliveries PRIMARY KEY (id),
	CONSTRAINT fk_alert_deliveries_alert_id FOREIGN KEY(alert_id) REFERENCES alerts (id) ON DELETE CASCADE
);

CREATE INDEX ix_alert_deliveries_alert_id ON alert_deliveries (alert_id);

CREATE INDEX ix_alert_deliveries_state_next_at ON alert_deliveries (state, next_at);

CREATE TABLE api_tokens (
	id BIGSERIAL NOT NULL,
	hash TEXT NOT NULL,
	account TEXT NOT NULL,
	title TEXT NOT NULL,
	roles TEXT NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	created_by TEXT NOT NULL,
	expires_at DOUBLE PRECISION,
	revoked_at DOUBLE PRECISION,
	used_at DOUBLE PRECISION,
	CONSTRAINT pk_api_tokens PRIMARY KEY (id),
	CONSTRAINT uq_api_tokens_hash UNIQUE (hash),
	CONSTRAINT fk_api_tokens_account FOREIGN KEY(account) REFERENCES accounts (name) ON DELETE CASCADE
);

CREATE INDEX ix_api_tokens_account ON api_tokens (account);

CREATE TABLE asset_definitions (
	key TEXT NOT NULL,
	location TEXT NOT NULL,
	data TEXT NOT NULL,
	CONSTRAINT pk_asset_definitions PRIMARY KEY (key, location),
	CONSTRAINT fk_asset_definitions_location FOREIGN KEY(location) REFERENCES definitions (location) ON DELETE CASCADE
);

CREATE INDEX ix_asset_definitions_location ON asset_definitions (location);

CREATE TABLE backfill_items (
	backfill_id BIGINT NOT NULL,
	no INTEGER NOT NULL,
	label TEXT NOT NULL,
	partitions TEXT NOT NULL,
	logical_at DOUBLE PRECISION,
	state TEXT NOT NULL,
	attempt INTEGER NOT NULL,
	run_id BIGINT,
	error TEXT NOT NULL,
	CONSTRAINT pk_backfill_items PRIMARY KEY (backfill_id, no),
	CONSTRAINT fk_backfill_items_backfill_id FOREIGN KEY(backfill_id) REFERENCES backfills (id) ON DELETE CASCADE
);

CREATE INDEX ix_backfill_items_backfill_id_state_no ON backfill_items (backfill_id, state, no);

CREATE INDEX ix_backfill_items_run_id ON backfill_items (run_id);

CREATE TABLE environment_checks (
	environment TEXT NOT NULL,
	asset TEXT NOT NULL,
	check_name TEXT NOT NULL,
	partition TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	task INTEGER NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	passed BOOLEAN NOT NULL,
	blocking BOOLEAN NOT NULL,
	description TEXT NOT NULL,
	metadata TEXT NOT NULL,
	outcome TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_environment_checks PRIMARY KEY (environment, asset, check_name, partition),
	CONSTRAINT fk_environment_checks_environment FOREIGN KEY(environment) REFERENCES environments (name) ON DELETE CASCADE
);

CREATE INDEX ix_environment_checks_run_id ON environment_checks (run_id);

CREATE TABLE environment_partitions (
	environment TEXT NOT NULL,
	asset TEXT NOT NULL,
	partition TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	task INTEGER NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	data_version TEXT NOT NULL,
	code_version TEXT NOT NULL,
	inputs TEXT NOT NULL,
	metadata TEXT NOT NULL,
	CONSTRAINT pk_environment_partitions PRIMARY KEY (environment, asset, partition),
	CONSTRAINT fk_environment_partitions_environment FOREIGN KEY(environment) REFERENCES environments (name) ON DELETE CASCADE
);

CREATE INDEX ix_environment_partitions_run_id ON environment_partitions (run_id);

CREATE TABLE runs (
	id BIGSERIAL NOT NULL,
	job TEXT NOT NULL,
	kind TEXT NOT NULL,
	plan_hash TEXT NOT NULL,
	location TEXT NOT NULL,
	state TEXT NOT NULL,
	params TEXT NOT NULL,
	tags TEXT NOT NULL,
	config TEXT NOT NULL,
	trigger TEXT NOT NULL,
	logical_at DOUBLE PRECISION,
	interval_start DOUBLE PRECISION,
	interval_end DOUBLE PRECISION,
	partition TEXT NOT NULL,
	parent_run BIGINT,
	parent_task INTEGER,
	priority INTEGER NOT NULL,
	seed BIGINT NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	started_at DOUBLE PRECISION,
	finished_at DOUBLE PRECISION,
	error TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	owner TEXT NOT NULL,
	lease_until DOUBLE PRECISION NOT NULL,
	seq INTEGER NOT NULL,
	version TEXT DEFAULT '' NOT NULL,
	origin TEXT DEFAULT '' NOT NULL,
	concurrency_key TEXT DEFAULT '' NOT NULL,
	deadline_at DOUBLE PRECISION,
	backfill_id BIGINT,
	CONSTRAINT pk_runs PRIMARY KEY (id),
	CONSTRAINT fk_runs_plan_hash FOREIGN KEY(plan_hash) REFERENCES plans (hash)
);

CREATE INDEX ix_runs_backfill_id ON runs (backfill_id) WHERE backfill_id IS NOT NULL;

CREATE INDEX ix_runs_created_at ON runs (created_at);

CREATE INDEX ix_runs_job_id_state ON runs (job, id, state);

CREATE INDEX ix_runs_parent_run ON runs (parent_run) WHERE parent_run IS NOT NULL;

CREATE INDEX ix_runs_partition ON runs (partition, id) WHERE partition <> '';

CREATE INDEX ix_runs_plan_hash ON runs (plan_hash);

CREATE INDEX ix_runs_state_id ON runs (state, id);

CREATE INDEX ix_runs_trigger_id ON runs (trigger, id);

CREATE TABLE sessions (
	hash TEXT NOT NULL,
	account TEXT NOT NULL,
	created_at DOUBLE PRECISION NOT NULL,
	expires_at DOUBLE PRECISION NOT NULL,
	seen_at DOUBLE PRECISION NOT NULL,
	client TEXT NOT NULL,
	CONSTRAINT pk_sessions PRIMARY KEY (hash),
	CONSTRAINT fk_sessions_account FOREIGN KEY(account) REFERENCES accounts (name) ON DELETE CASCADE
);

CREATE INDEX ix_sessions_account ON sessions (account);

CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);

CREATE TABLE run_requests (
	id BIGSERIAL NOT NULL,
	run_id BIGINT NOT NULL,
	kind TEXT NOT NULL,
	data TEXT NOT NULL,
	by TEXT NOT NULL,
	at DOUBLE PRECISION NOT NULL,
	CONSTRAINT pk_run_requests PRIMARY KEY (id),
	CONSTRAINT fk_run_requests_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX ix_run_requests_run_id ON run_requests (run_id);

CREATE TABLE run_tags (
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	run_id BIGINT NOT NULL,
	CONSTRAINT pk_run_tags PRIMARY KEY (key, value, run_id),
	CONSTRAINT fk_run_tags_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);

CREATE INDEX ix_run_tags_run_id ON run_tags (run_id);

