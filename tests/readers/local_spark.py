"""Spark on this machine alone, set up in the same way for every check."""

import os
import sys


def session(cores=1, log_level="ERROR", **settings):
    """A session of this machine; `settings` by their names, with `_` for each dot."""
    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    from pyspark.sql import SparkSession

    builder = (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "1")
    )
    for name, value in settings.items():
        builder = builder.config(name.replace("_", "."), value)
    started = builder.getOrCreate()
    started.sparkContext.setLogLevel(log_level)
    return started
