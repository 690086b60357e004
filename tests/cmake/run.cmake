# cnnc in other projects' builds: cmake -DSOURCE=... -DBINARY=... -DWORK=... [-DHOW=...] -DGENERATOR=... -P run.cmake
#
# Installs the build in BINARY, or takes the source as a part of the project; builds app/; builds it again, which does nothing;
# changes one network, which alone is generated again; breaks it, which leaves what is there.
cmake_minimum_required(VERSION 3.20)

function(run what)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE errors)
    set(said "${said}${errors}" PARENT_SCOPE)
    if(what STREQUAL "fails")
        if(status EQUAL 0)
            message(FATAL_ERROR "should have failed: ${ARGN}\n${said}${errors}")
        endif()
    elseif(NOT status EQUAL 0)
        message(FATAL_ERROR "${what}: ${ARGN}\n${said}${errors}")
    endif()
endfunction()

# What the last command said about generating: `wanted` of the two networks.
function(expect_generated wanted)
    set(made "")
    foreach(net first second)
        if(said MATCHES "cnnc [^\n]*${net}.net")
            list(APPEND made ${net})
        endif()
    endforeach()
    if(NOT made STREQUAL "${wanted}")
        message(FATAL_ERROR "generated: '${made}', not '${wanted}':\n${said}")
    endif()
endfunction()

function(expect_output)
    run("the application runs" "${WORK}/build/app")
    if(NOT said STREQUAL "first 1.000\nsecond 1.000\n")
        message(FATAL_ERROR "the application said:\n${said}")
    endif()
    run("that which stands alone runs" "${WORK}/build/alone_app")
    if(NOT said STREQUAL "0.250 1.000\n")
        message(FATAL_ERROR "that which stands alone said:\n${said}")
    endif()
endfunction()

# A time stamp is a second, with some file systems.
function(change file text)
    execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 1.1)
    file(WRITE "${file}" "${text}")
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(COPY "${CMAKE_CURRENT_LIST_DIR}/app" DESTINATION "${WORK}")
set(options -DHOW=${HOW} -DCNNC_SOURCE=${SOURCE})
if(HOW STREQUAL "find_package")
    run("it installs" ${CMAKE_COMMAND} --install "${BINARY}" --prefix "${WORK}/prefix")
    list(APPEND options -DCMAKE_PREFIX_PATH=${WORK}/prefix)
endif()
set(build ${CMAKE_COMMAND} --build "${WORK}/build" --parallel 2)

run("it configures" ${CMAKE_COMMAND} -G ${GENERATOR} -S "${WORK}/app" -B "${WORK}/build" -DCMAKE_BUILD_TYPE=Release ${options})
run("it builds" ${build})
expect_generated("first;second")
expect_output()
run("it builds again" ${build})
expect_generated("")

file(READ "${WORK}/app/second.net" text)
string(REPLACE "conv2d 2 3x3" "conv2d 3 3x3" changed "${text}")
change("${WORK}/app/second.net" "${changed}")
run("a network has changed" ${build})
expect_generated("second")
expect_output()
run("it builds again after the change" ${build})
expect_generated("")

change("${WORK}/app/second.net" "${changed}# the same code\n")
run("a network has changed without consequence" ${build})
expect_generated("second")
run("it builds again after that" ${build})
expect_generated("")

change("${WORK}/app/second.net" "network second\ninput 5x5x1\nconv2d 2 7x7\n")
file(SHA256 "${WORK}/build/second_net.c" before)
run("fails" ${build})
if(NOT said MATCHES "second.net:3:10: error: kernel 7x7 is larger")
    message(FATAL_ERROR "a broken network's diagnostic is missing:\n${said}")
endif()
file(SHA256 "${WORK}/build/second_net.c" after)
if(NOT before STREQUAL after)
    message(FATAL_ERROR "a broken network left its output")
endif()

# The same application without CMake; a shell splits what pkg-config says at blanks.
find_program(PKG_CONFIG pkg-config)
if(HOW STREQUAL "find_package" AND PKG_CONFIG AND NOT WORK MATCHES " ")
    change("${WORK}/app/second.net" "${text}")
    file(GLOB pkgconfig "${WORK}/prefix/lib*/pkgconfig" "${WORK}/prefix/lib/*/pkgconfig")
    file(WRITE "${WORK}/build.sh" "set -e
export PKG_CONFIG_PATH=${pkgconfig}
cd '${WORK}/app'
for net in first second; do '${WORK}/prefix/bin/cnnc' $net.net -o $\{net}_net.c; done
cc -std=c11 -O1 $(pkg-config --cflags cnnc) app.c first_net.c second_net.c $(pkg-config --libs cnnc) -o '${WORK}/build/app'
")
    run("pkg-config tells how" sh "${WORK}/build.sh")
    expect_output()
endif()
