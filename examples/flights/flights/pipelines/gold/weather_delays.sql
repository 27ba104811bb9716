-- /// asset
-- layer = "gold"
-- group = "punctuality"
-- owners = ["operations@flights.example"]
-- ///
-- What fog, rain and wind cost: departures by the weather in the hour in which they were to leave.
select
    origin,
    case
        when visib_mi < 3 then 'fog'
        when precip_in > 0 then 'rain or snow'
        when wind_mph >= 20 then 'wind'
        when visib_mi is null then 'nobody looked'
        else 'fair'
    end as weather,
    count(*) as flights,
    round(avg(dep_delay), 2) as mean_dep_delay_min,
    round(100.0 * sum(is_cancelled::int) / count(*), 2) as cancelled_percent
from silver.flights
group by all
order by origin, mean_dep_delay_min desc
