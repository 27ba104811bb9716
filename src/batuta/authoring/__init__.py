"""How people write pipelines: tasks, flows, DAGs, assets, checks. Plain objects; what runs them is the runtime."""
