{% test adds_up(model, total, parts) %}
select *
from {{ model }}
where abs({{ total }} - ({{ parts | join(' + ') }})) > 0.001
{% endtest %}
