with spent as (

    select
        customer_id,
        count(*) as orders,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        sum(subtotal) as spend_before_tax,
        sum(tax_paid) as tax_paid,
        sum(order_total) as spend
    from {{ ref('orders') }}
    group by customer_id

)

select
    customers.customer_id,
    customers.customer_name,
    coalesce(spent.orders, 0) as orders,
    spent.first_ordered_at,
    spent.last_ordered_at,
    coalesce(spent.spend_before_tax, 0) as spend_before_tax,
    coalesce(spent.tax_paid, 0) as tax_paid,
    coalesce(spent.spend, 0) as spend,
    case when spent.orders > 1 then 'returning' else 'new' end as customer_type
from {{ ref('stg_customers') }} as customers
left join spent on customers.customer_id = spent.customer_id
