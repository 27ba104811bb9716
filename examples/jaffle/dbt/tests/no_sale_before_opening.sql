select sales.*
from {{ ref('daily_sales') }} as sales
join {{ ref('stores') }} as stores using (store_name)
where sales.day < stores.opened_on
