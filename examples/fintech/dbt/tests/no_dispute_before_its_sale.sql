select * from {{ ref('disputes') }} where days_until < 0
