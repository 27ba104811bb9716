{# A share in basis points, two digits; null where there is no whole. #}
{% macro per_ten_thousand(part, whole) -%}
    round(({{ part }}) * 10000.0 / nullif({{ whole }}, 0), 2)
{%- endmacro %}
