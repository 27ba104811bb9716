{# A model's schema is its layer, as that of the tables which Python keeps in the same warehouse. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
