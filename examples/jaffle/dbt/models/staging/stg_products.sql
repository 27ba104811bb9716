select
    sku as product_id,
    name as product_name,
    type as product_type,
    {{ cents_to_euros('price') }} as price,
    type = 'jaffle' as is_food,
    type = 'beverage' as is_drink
from {{ ref('raw_products') }}
