select
    cast(orders.ordered_at as date) as day,
    stores.store_name,
    count(*) as orders,
    sum(orders.order_total) as revenue,
    sum(orders.order_cost) as cost
from {{ ref('orders') }} as orders
join {{ ref('stores') }} as stores on orders.store_id = stores.store_id
group by 1, 2
