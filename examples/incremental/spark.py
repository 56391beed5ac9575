"""Brings a Parquet table of Spark up to what the dataset's log has, each commit once and whole.

    spark-submit spark.py AUDIT TABLE     two folders or URLs, e.g. s3a://bucket/audit s3a://bucket/audit_events

Each run that finds new files adds one folder to the table, `last_commit=N`, with the rows of all commits up to N that no
folder has yet. The folders are the memory, so there is no second state that could say something else. Spark writes a folder
elsewhere and renames it when it is whole; one that a run left behind (`.spark-staging-…`) is invisible to readers. Let one
load run at a time. Object stores do not rename: there, use a committer that is made for them, or a table format.

Read the table with spark.read.option("mergeSchema", True).parquet(TABLE): columns may grow.
"""

import sys

from pyspark.sql import SparkSession, functions

# Other members of a commit are not looked at, so that new ones do no harm.
COMMIT = "number BIGINT, windows ARRAY<STRUCT<files: ARRAY<STRUCT<path: STRING, format: STRING>>>>"


def last_commit(spark, table):
    """The highest folder of the table, or -1."""
    path = spark._jvm.org.apache.hadoop.fs.Path(table)
    folders = path.getFileSystem(spark._jsc.hadoopConfiguration()).globStatus(
        spark._jvm.org.apache.hadoop.fs.Path(path, "last_commit=*")
    )
    return max([int(folder.getPath().getName().partition("=")[2]) for folder in folders or []], default=-1)


def load(spark, audit, table):
    """Gives the number of commits that were new."""
    last = last_commit(spark, table)
    log = spark.read.schema(COMMIT).option("mode", "FAILFAST").json(f"{audit}/_audit/commits")
    arrived = log.where(log.number > last).orderBy("number").collect()
    # The log has no gaps: a number that is missing was not listed yet, or somebody took it away.
    if [commit.number for commit in arrived] != list(range(last + 1, last + 1 + len(arrived))):
        sys.exit("a commit is missing under _audit/commits; nothing was loaded")
    files = [file for commit in arrived for window in commit.windows for file in window.files or []]
    paths = [f"{audit}/{file.path}" for file in files if file.format == "parquet"]
    if paths:
        rows = spark.read.option("mergeSchema", True).parquet(*paths)
        (
            rows.withColumn("last_commit", functions.lit(arrived[-1].number))
            .write.mode("overwrite")
            .option("partitionOverwriteMode", "dynamic")
            .partitionBy("last_commit")
            .parquet(table)
        )
    return len(arrived)


if __name__ == "__main__":
    session = SparkSession.builder.getOrCreate()
    print(load(session, *sys.argv[1:]), "new commits")
    session.stop()
