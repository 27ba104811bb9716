{% test no_more_than(model, column_name, most) %}
select * from {{ model }} where {{ column_name }} > {{ most }}
{% endtest %}
